"""
The Python of the stages' runtime on this machine: it compiles the package and runs it in rehearsals.

`python -m apps.deployment.package.interpreter` prints where it is, or says how to get it and exits with 1.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from apps.deployment.errors import StageError
from apps.deployment.package.target import target_of_file

UV = (sys.executable, "-m", "uv")
FIND = ("python", "find", "--system", "--no-project", "--no-config", "--no-python-downloads")


def find(version: str) -> Path:
    """
    Return a CPython of this version: this one, one on the path, one of pyenv's or of uv's.

    :param version: for example "3.13"
    :raises StageError: if this machine has none
    """
    folders = [f"{sys.base_prefix}/bin", *os.get_exec_path(), *_folders_of_pyenv(version)]
    path = _output("/usr/bin/env", f"PATH={os.pathsep.join(folders)}", *UV, *FIND, f"cpython@{version}")
    if not path:
        raise StageError(
            f"The stages run on Python {version} and this machine has none:"
            f" install it with `.venv/bin/uv python install {version}` or `pyenv install {version}`."
        )
    return Path(path)


def build_of(python: Path) -> str:
    """Return which build of Python an interpreter is: another one makes other bytecode."""
    return _output(python, "-I", "-S", "-c", "import sys; print(sys.version)")


def _folders_of_pyenv(version: str) -> list[str]:
    if not shutil.which("pyenv"):
        return []
    return sorted(map(str, Path(_output("pyenv", "root")).glob(f"versions/{version}.*/bin")), reverse=True)


def _output(*command: str | Path) -> str:
    """Return what a program prints, and nothing if it fails."""
    process = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (an interpreter)
    return process.stdout.strip() if process.returncode == 0 else ""


def main() -> None:
    """Print the interpreter of the stages' runtime, or exit with how to get it."""
    try:
        sys.stdout.write(f"{find(target_of_file().python)}\n")
    except StageError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
