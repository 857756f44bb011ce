"""Runs other programs and reports their errors."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from apps.deployment.errors import StageError
from apps.deployment.paths import PROJECT

# The line of a traceback that names the exception.
EXCEPTION = re.compile(r"^[\w.]+(?:Denied|Error|Exception)\w*: (?=\S)", re.MULTILINE)
# Zappa prints this line before it asks for a bug report.
SEPARATOR = re.compile(r"^=+$", re.MULTILINE)


def run(
    program: Sequence[str | Path],
    *,
    action: str,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """
    Run a program and return its output.

    :param action: completes the error message "Could not …"
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
        raise StageError(f"Could not {action}: {last_message(process.stdout)}")
    return process.stdout


def commit() -> str:
    """Return the commit of the working tree, or "unknown" without a Git repository."""
    try:
        return run(["git", "rev-parse", "--short=12", "HEAD"], action="ask git", folder=PROJECT).strip()
    except (StageError, OSError):
        return "unknown"


def last_message(output: str) -> str:
    """Return the message of the last exception in the output, or the whole output."""
    *before, text = EXCEPTION.split(output)
    message = SEPARATOR.split(text)[0] if before else text
    return message.strip() or "no message"
