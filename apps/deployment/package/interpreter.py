"""
The Lambda runtime of the stages, and a Python of the same version on this machine.

That Python compiles the package and runs it in rehearsals.
`python -m apps.deployment.package.interpreter` prints its path, or prints how to install it and exits with 1.
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

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html: python3.12 and newer runtimes use
# Amazon Linux 2023, whose C library is glibc 2.34.
GLIBC = (2, 34)
RUNTIME = re.compile(r"python3\.1[2-9]")
# The names of Lambda's processors in wheels.
PROCESSORS = {"x86_64": "x86_64", "arm64": "aarch64"}
UV = (sys.executable, "-m", "uv")
FIND = ("python", "find", "--system", "--no-project", "--no-config", "--no-python-downloads")


class Target(NamedTuple):
    """A Lambda runtime and a processor, by Lambda's names."""

    runtime: str
    architecture: str

    @property
    def python(self) -> str:
        """The version of Python, for example "3.13"."""
        return self.runtime.removeprefix("python")

    @property
    def platform(self) -> str:
        """The platform of the newest wheels that it can load, for `uv pip install --python-platform`."""
        return f"{PROCESSORS[self.architecture]}-manylinux_{GLIBC[0]}_{GLIBC[1]}"


def target_of(settings: Settings) -> Target:
    """
    Return the target from the settings of a stage.

    :raises StageError: if the runtime or the processor is not supported
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
    Return the target of the entry `base` in zappa_settings.json, which all stages share.

    :raises StageError: see `target_of`
    """
    return target_of(zappa_settings.read()[zappa_settings.BASE])


def find(version: str) -> Path:
    """
    Find a CPython of this version: the running one, on the path, from pyenv or from uv.

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
    """Return the version text of an interpreter. Builds of Python can differ in bytecode."""
    return _output(python, "-I", "-S", "-c", "import sys; print(sys.version)")


def _folders_of_pyenv(version: str) -> list[str]:
    if not shutil.which("pyenv"):
        return []
    return sorted(map(str, Path(_output("pyenv", "root")).glob(f"versions/{version}.*/bin")), reverse=True)


def _output(*command: str | Path) -> str:
    """Return the output of a program, or "" if it fails."""
    process = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (an interpreter)
    return process.stdout.strip() if process.returncode == 0 else ""


def main() -> None:
    """Print the path of the interpreter, or exit with instructions to install it."""
    try:
        sys.stdout.write(f"{find(target_of_file().python)}\n")
    except StageError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
