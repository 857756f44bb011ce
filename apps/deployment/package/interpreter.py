"""
The Lambda runtime that a package is built for, and its Python on this machine.

That Python compiles the package and runs it in rehearsals.
`python -m apps.deployment.package.interpreter` prints where it is, or says how to get it and exits with 1.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from apps.deployment.errors import StageError
from apps.deployment.settings import zappa_settings
from apps.deployment.settings.zappa_settings import Settings

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html: from python3.12 on, the runtimes
# stand on Amazon Linux 2023, whose C library is glibc 2.34.
GLIBC = (2, 34)
RUNTIME = re.compile(r"python3\.1[2-9]")
# Lambda's processors, as wheels name them.
PROCESSORS = {"x86_64": "x86_64", "arm64": "aarch64"}
UV = (sys.executable, "-m", "uv")
FIND = ("python", "find", "--system", "--no-project", "--no-config", "--no-python-downloads")


class Target(NamedTuple):
    """A Lambda runtime on a processor, both by Lambda's names."""

    runtime: str
    architecture: str

    @property
    def python(self) -> str:
        """The version of Python, for example "3.13"."""
        return self.runtime.removeprefix("python")

    @property
    def platform(self) -> str:
        """The newest wheels that it can load, as `uv pip install --python-platform` names them."""
        return f"{PROCESSORS[self.architecture]}-manylinux_{GLIBC[0]}_{GLIBC[1]}"


def target_of(settings: Settings) -> Target:
    """
    Return what the settings of a stage say.

    :raises StageError: for a runtime that packages are not built for, or an unknown processor
    """
    target = Target(str(settings.get("runtime")), str(settings.get("architecture", "x86_64")))
    if not RUNTIME.fullmatch(target.runtime) or target.architecture not in PROCESSORS:
        raise StageError(
            "Packages are built for python3.12 and newer, which run on Amazon Linux 2023, on"
            f" {' or '.join(PROCESSORS)}. zappa_settings.json has"
            f' "runtime": "{target.runtime}" and "architecture": "{target.architecture}".'
        )
    return target


def target_of_file() -> Target:
    """
    Return what all stages share: the target of the entry `base` in zappa_settings.json.

    :raises StageError: as `target_of`
    """
    return target_of(zappa_settings.read()[zappa_settings.BASE])


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
