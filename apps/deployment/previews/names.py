"""
The names of a preview's resources, made from the number of its pull request.

`moped-api-production` begins with `moped-api-pr`. So a name belongs to a preview only if all of it matches.
"""

import re
from argparse import ArgumentTypeError

PROJECT = "moped-api"
PATTERN = "preview"  # the entry of zappa_settings.json that all previews share
NUMBER = re.compile(r"[1-9][0-9]{0,6}")
FUNCTIONS = f"{PROJECT}-pr-"
# In the uploads bucket and in the bucket of packages. The editor counts underscores in keys: no `pr_12`.
FILES = "previews/"


def number(text: str) -> int:
    """Parse the number of a pull request in an argument."""
    if not NUMBER.fullmatch(text):
        raise ArgumentTypeError(f"{text!r} is not the number of a pull request: write 12 for #12.")
    return int(text)


def stage(number: int) -> str:
    """Return the stage, as the settings and the tags name it."""
    return f"pr_{number}"


def function(number: int) -> str:
    """Return the name of the function and of the stack."""
    return f"{FUNCTIONS}{number}"


def files(number: int) -> str:
    """Return the prefix of the preview's files."""
    return f"{FILES}{number}/"


def after(prefix: str, name: str) -> int | None:
    """Return the number in the name of a stack or folder; None if it is not a preview's."""
    rest = name.removeprefix(prefix) if name.startswith(prefix) else ""
    return int(rest) if NUMBER.fullmatch(rest) else None
