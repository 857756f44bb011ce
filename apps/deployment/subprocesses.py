"""Other programs, run to their end."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from apps.deployment.errors import StageError
from apps.deployment.paths import PROJECT

# The line of a traceback that names the exception.
EXCEPTION = re.compile(r"^[\w.]+(?:Denied|Error|Exception)\w*: (?=\S)", re.MULTILINE)
# What Zappa prints around a traceback, before it asks for a bug report.
SEPARATOR = re.compile(r"^=+$", re.MULTILINE)


def run(
    program: Sequence[str | Path],
    *,
    doing: str,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """
    Run a program and return what it printed.

    :param doing: what it is for, as an error message goes on after "could not"
    :raises StageError: if it fails, with its last message
    """
    process = subprocess.run(  # noqa: S603 (programs of ours, by their paths)
        list(map(str, program)),
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if process.returncode:
        raise StageError(f"Could not {doing}: {last_message(process.stdout)}")
    return process.stdout


def commit() -> str:
    """Return the commit that the clone is at; "unknown" for a tree without its history."""
    try:
        return run(["git", "rev-parse", "--short=12", "HEAD"], doing="ask git", folder=PROJECT).strip()
    except (StageError, OSError):
        return "unknown"


def last_message(output: str) -> str:
    """Return the whole message of the last exception that a program printed, or all that it printed."""
    *before, text = EXCEPTION.split(output)
    message = SEPARATOR.split(text)[0] if before else text
    return message.strip() or "no message"
