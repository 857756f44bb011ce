"""
The Python of the stages' runtime on this machine: it compiles the package and runs it in rehearsals.

`python -m apps.deployment.package.interpreter` prints where it is, or says how to get it and exits with 1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from apps.deployment.errors import StageError
from apps.deployment.package.target import target_of_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

UV = (sys.executable, "-m", "uv")
SHOW_VERSION = "import sys; print(sys.implementation.name, *sys.version_info[:2])"


def find(version: str) -> Path:
    """
    Return a CPython of this version.

    :param version: for example "3.13"
    :raises StageError: if this machine has none
    """
    for candidate in _candidates(version):
        if _output([candidate, "-I", "-S", "-c", SHOW_VERSION]).split() == ["cpython", *version.split(".")]:
            return candidate
    raise StageError(
        f"The stages run on Python {version} and this machine has none:"
        f" install it with `.venv/bin/uv python install {version}` or `pyenv install {version}`."
    )


def build_of(python: Path) -> str:
    """Return which build of Python an interpreter is: another one makes other bytecode."""
    return _output([python, "-I", "-S", "-c", "import sys; print(sys.version)"])


def _candidates(version: str) -> Iterator[Path]:
    """Yield where it may be: this very Python, the path, pyenv's versions, uv's."""
    name = f"python{version}"
    yield Path(sys.executable)
    # Each folder by itself: pyenv's shims come first on many paths and fail for most versions.
    yield from (Path(folder) / name for folder in os.get_exec_path())
    if (pyenv := shutil.which("pyenv")) and (root := _output([pyenv, "root"])):
        yield from sorted(Path(root).glob(f"versions/{version}.*/bin/{name}"), reverse=True)
    if path := _output([*UV, "python", "find", "--managed-python", "--no-python-downloads", version]):
        yield Path(path)


def _output(command: Sequence[str | Path]) -> str:
    """Return what a program prints, and nothing if it fails."""
    try:
        process = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (an interpreter)
    except OSError:
        return ""
    return process.stdout.strip() if process.returncode == 0 else ""


def main() -> str:
    """Print the interpreter of the stages' runtime, or return how to get it."""
    try:
        sys.stdout.write(f"{find(target_of_file().python)}\n")
    except StageError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    sys.exit(main() or 0)
