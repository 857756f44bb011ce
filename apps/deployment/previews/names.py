"""
The names of a preview's resources, which contain the number of its pull request.

`moped-api-production` also begins with `moped-api-pr`. So a preview's name must match fully.
"""

import re
from argparse import ArgumentTypeError

PROJECT = "moped-api"
PATTERN = "preview"  # the entry of zappa_settings.json that all previews share
NUMBER = re.compile(r"[1-9][0-9]{0,6}")
FUNCTIONS = f"{PROJECT}-pr-"
# A folder in the uploads and deployment buckets. The editor splits keys at underscores, so not `pr_12`.
FILES = "previews/"


def number(text: str) -> int:
    """Parse an argument that is the number of a pull request."""
    if not NUMBER.fullmatch(text):
        raise ArgumentTypeError(f"{text!r} is not the number of a pull request: write 12 for #12.")
    return int(text)


def stage(number: int) -> str:
    """Return the name of the stage in settings and tags."""
    return f"pr_{number}"


def function(number: int) -> str:
    """Return the name of the function and of the stack."""
    return f"{FUNCTIONS}{number}"


def files(number: int) -> str:
    """Return the prefix of the preview's files."""
    return f"{FILES}{number}/"


def number_after(prefix: str, name: str) -> int | None:
    """Return the number in the name of a preview's stack or folder. None for other names."""
    rest = name.removeprefix(prefix) if name.startswith(prefix) else ""
    return int(rest) if NUMBER.fullmatch(rest) else None
