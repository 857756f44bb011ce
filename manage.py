#!/usr/bin/env python
"""Django's command line for the Moped API."""

import os
import sys
from contextlib import suppress


def main() -> None:
    """Run the command that the arguments name."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "moped_api.settings")
    try:
        from django.core.management import execute_from_command_line  # noqa: PLC0415 (its absence is explained)
    except ImportError:
        sys.exit(
            "Django is not installed here. Use .venv/bin/python, which `make install` makes;"
            " if you do already, remove .venv first."
        )
    complete_environment()
    execute_from_command_line(sys.argv)


def complete_environment() -> None:
    """On a laptop, supply what a stage is given by its operators (the package of a stage lacks both)."""
    with suppress(ModuleNotFoundError):
        from apps.deployment import environment as operators  # noqa: PLC0415
        from apps.devstack import environment as laptop  # noqa: PLC0415 (only where there is one)

        (operators if operators.applies(sys.argv) else laptop).apply()


if __name__ == "__main__":
    main()
