"""Other programs, run to their end."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

from apps.deployment.errors import StageError
from apps.deployment.paths import PROJECT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# The last line of a traceback: Zappa says a good deal after it, and nothing of what went wrong.
EXCEPTION = re.compile(r"[\w.]+(?:Denied|Error|Exception)\w*: (.+)")


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
    :raises StageError: if it fails, with the last thing it said
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
        raise StageError(f"Could not {doing}: {last_error_line(process.stdout)}")
    return process.stdout


def commit() -> str:
    """Return the commit that the clone is at; "unknown" for a tree without its history."""
    try:
        return run(["git", "rev-parse", "--short=12", "HEAD"], doing="ask git", folder=PROJECT).strip()
    except (StageError, OSError):
        return "unknown"


def last_error_line(output: str) -> str:
    """Return the last exception that a program named, or the last line in which it said something."""
    lines = [line.strip() for line in output.splitlines() if line.strip(" =!(:)")]
    exceptions = [match[1] for line in lines if (match := EXCEPTION.fullmatch(line))]
    return (exceptions or lines or ["it said nothing"])[-1]
