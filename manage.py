#!/usr/bin/env python
"""Django's command line for the Moped API."""

import os
import sys
from contextlib import suppress

# Django's commands that this project has no use for, and what to do instead.
INSTEAD = {
    "collectstatic": "There is nothing to collect: WhiteNoise serves static files from the packages.",
    "createsuperuser": "There is no Django admin. `make run` prints who you can be.",
    "test": "The tests run with pytest: `make test`, or `.venv/bin/pytest tests/users`.",
}


def main() -> None:
    """Run the command that the arguments name."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "moped_api.settings")
    try:
        from django.core.management import execute_from_command_line  # noqa: PLC0415 (its absence is explained)
        from django.db import OperationalError  # noqa: PLC0415 (same)
    except ImportError:
        sys.exit(
            "Django is not installed here. Use .venv/bin/python, which `make install` makes;"
            " if you do already, remove .venv first."
        )
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command in INSTEAD:
        sys.exit(INSTEAD[command])
    complete_environment()
    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        if "--traceback" in sys.argv:
            raise
        reason, *_ = str(error).splitlines() or ["no reason given"]
        sys.exit(f"PostgreSQL failed: {reason}. On a laptop, `make run` starts it.")


def complete_environment() -> None:
    """On a laptop, supply what a stage is given by its operators (the package of a stage lacks both)."""
    with suppress(ModuleNotFoundError):
        from apps.deployment import environment as operators  # noqa: PLC0415
        from apps.devstack import environment as laptop  # noqa: PLC0415 (only where there is one)

        (operators if operators.applies(sys.argv) else laptop).apply()


if __name__ == "__main__":
    main()
