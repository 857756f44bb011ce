"""
Checks that Lambda's runtime can load the shared objects of a package.

manylinux wheels need only libraries that are in the wheel or in every Linux (PEP 600). A package from
another machine may contain wheels for Alpine, whose C library is musl.
"""

import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path, PurePosixPath

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

from apps.deployment.errors import StageError
from apps.deployment.package.interpreter import GLIBC, Target

PYTHON_TAG = re.compile(r"\.(?:cpython-|cp|pypy)(\d+)")
GLIBC_VERSION = re.compile(r"GLIBC_(\d+)\.(\d+)(?:\.\d+)?")
# The names of Lambda's processors in ELF files.
MACHINES = {"x86_64": "EM_X86_64", "arm64": "EM_AARCH64"}


def require_loadable(package: Path, target: Target) -> None:
    """
    Check every shared object in a package.

    :raises StageError: if the target cannot load one of them, with the file and the reason
    """
    try:
        with zipfile.ZipFile(package) as zipped:
            contents = {name: zipped.read(name) for name in zipped.namelist() if is_shared_object(name)}
    except zipfile.BadZipFile as error:
        raise StageError(f"{package.name} is not a zip file.") from error
    for name, content in contents.items():
        for reason in _reasons(name, content, target):
            raise StageError(
                f"Lambda's {target.runtime} on {target.architecture} cannot load {name} in {package.name}:"
                f" {reason}."
            )


def is_shared_object(name: str) -> bool:
    """Return whether a file name is one of a shared object on Linux, Windows or macOS."""
    suffixes = PurePosixPath(name).suffixes
    return ".so" in suffixes or suffixes[-1:] in ([".pyd"], [".dylib"], [".dll"])


def _reasons(name: str, content: bytes, target: Target) -> Iterator[str]:
    tag, machine = PYTHON_TAG.search(PurePosixPath(name).name), MACHINES[target.architecture]
    if tag and tag[1] != target.python.replace(".", ""):
        yield f"it is an extension of another Python ({tag[0].lstrip('.')})"
    try:
        elf = ELFFile(BytesIO(content))
    except ELFError:
        yield "it is not an ELF file, so it was built for another operating system"
        return
    if elf["e_machine"] != machine:
        yield f"it is built for the processor {elf['e_machine']}, not {machine}"
    for need in filter(_is_missing, sorted(_needs(elf))):
        yield f"it needs {need}, and the runtime has glibc {GLIBC[0]}.{GLIBC[1]}"


def _needs(elf: ELFFile) -> Iterator[str]:
    """Yield the names of the required libraries and symbol versions."""
    for section in elf.iter_sections():
        if isinstance(section, DynamicSection):
            # pyelftools sets `needed` only on DT_NEEDED tags, so its types do not declare it.
            yield from (tag.needed for tag in section.iter_tags("DT_NEEDED"))  # type: ignore[attr-defined]
        elif isinstance(section, GNUVerNeedSection):
            yield from (str(need.name) for _file, needs in section.iter_versions() for need in needs)


def _is_missing(need: str) -> bool:
    """Return whether it needs musl or a newer glibc. GLIBC_ABI_… names came with glibc 2.36."""
    if not need.startswith("GLIBC_"):
        return need.startswith("libc.musl")
    number = GLIBC_VERSION.fullmatch(need)
    return number is None or (int(number[1]), int(number[2])) > GLIBC
