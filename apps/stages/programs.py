"""Other programs, run to their end."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from apps.stages.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


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
    done = subprocess.run(  # noqa: S603 (programs of ours, by their paths)
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
    if done.returncode:
        raise StageError(f"Could not {doing}: {last_words(done.stdout)}")
    return done.stdout


def last_words(output: str) -> str:
    """Return the last line in which a program said something."""
    lines = [line.strip() for line in output.splitlines() if line.strip(" =!(:)")]
    return lines[-1] if lines else "it said nothing"
