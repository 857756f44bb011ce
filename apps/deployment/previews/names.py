"""
Every name of a preview, made from the number of its pull request; and the way back.

`moped-api-production` begins with `moped-api-pr`: a name is a preview's only if the whole of it is.
"""

from __future__ import annotations

import re

from apps.deployment.errors import StageError

PROJECT = "moped-api"
NUMBER = re.compile(r"[1-9][0-9]{0,6}")
FUNCTIONS = f"{PROJECT}-pr-"
LOG_GROUPS = f"/aws/lambda/{FUNCTIONS}"
# Of the uploads bucket. A key must not have more underscores than the editor counts: no `pr_12`.
FILES = "previews/"


def number(text: str) -> int:
    """
    Return the number that somebody typed.

    :raises StageError: if it is none
    """
    if not NUMBER.fullmatch(text):
        raise StageError(f"{text!r} is not the number of a pull request: write 12 for #12.")
    return int(text)


def stage(number: int) -> str:
    """Return the stage, as the settings and the tags name it."""
    return f"pr_{number}"


def function(number: int) -> str:
    """Return the function, which is also what Zappa would call its stack and its API."""
    return f"{FUNCTIONS}{number}"


def log_group(number: int) -> str:
    """Return where the function logs."""
    return f"{LOG_GROUPS}{number}"


def files(number: int) -> str:
    """Return the prefix of the preview's files."""
    return f"{FILES}{number}/"


def after(prefix: str, name: str) -> int | None:
    """Return the number in the name of a function, stack, log group or folder; None if it is no preview's."""
    rest = name.removeprefix(prefix).rstrip("/") if name.startswith(prefix) else ""
    return int(rest) if NUMBER.fullmatch(rest) else None
