"""
Locks the requirements: `python -m apps.devstack.requirements`, or with `--check` only says whether to.

One lock holds for every platform and Python that we support, with the hash of every file. What is
locked stays locked: only what an edited `.in` asks for changes. By the header of a lock Dependabot
knows how to lock again.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from apps.devstack.environment import PROJECT

REQUIREMENTS = PROJECT / "requirements"
UV = Path(sys.prefix) / "bin" / "uv"
# In this order: each extends the one before it and is constrained by its lock.
SETS = ("production", "staging", "development", "emulator", "rehearsal", "linters", "moto")
FAILED = "uv cannot lock the requirements, for the reason above. It needs the package index."
OPTIONS = (
    "--universal",
    "--generate-hashes",
    "--no-annotate",
    "--no-strip-extras",  # the pip of Python 3.11 takes `coverage` for no pin of `coverage[toml]`
    "--python-version=3.11",
    "--quiet",
)


def main(arguments: list[str]) -> str:
    """Lock, or check, and return what is wrong."""
    if "--check" not in arguments:
        return "" if lock(REQUIREMENTS) else FAILED
    stale = stale_locks()
    return f"Edited but not locked: {', '.join(stale)}. Run `make lock` and commit it." if stale else ""


def stale_locks() -> list[str]:
    """Return the locks that would pin something else today, for an edit of their `.in` file."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(shutil.copytree(REQUIREMENTS, Path(scratch) / "requirements"))
        if not lock(copy):
            sys.exit(FAILED)
        return [name for name in SETS if pins(copy / f"{name}.txt") != pins(REQUIREMENTS / f"{name}.txt")]


def lock(folder: Path) -> bool:
    """Write the lock of each `.in` file in a folder."""
    return all(_compile(folder, name) for name in SETS)


def pins(path: Path) -> list[str]:
    """Return what a lock pins; hashes aside, which differ with what a mirror happens to hold."""
    lines = path.read_text(encoding="utf-8").split("\n")
    return [line.rstrip("\\ ") for line in lines if "==" in line]


def _compile(folder: Path, name: str) -> bool:
    command = [str(UV), "pip", "compile", *OPTIONS, "--output-file", f"{name}.txt", f"{name}.in"]
    return subprocess.run(command, cwd=folder, check=False, stdout=subprocess.DEVNULL).returncode == 0  # noqa: S603


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) or 0)
