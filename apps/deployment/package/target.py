"""The machine that a package is built for: a Lambda runtime on a processor."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from apps.deployment.errors import StageError
from apps.deployment.settings import zappa_settings

if TYPE_CHECKING:
    from apps.deployment.settings.zappa_settings import Settings

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html: from python3.12 on, the runtimes
# stand on Amazon Linux 2023, whose C library is glibc 2.34.
GLIBC = (2, 34)
RUNTIME = re.compile(r"python(3\.1[2-9])")


class Processor(NamedTuple):
    """A processor as wheels and ELF files name it."""

    wheel: str
    elf: str


# By Lambda's name.
PROCESSORS = {"x86_64": Processor("x86_64", "EM_X86_64"), "arm64": Processor("aarch64", "EM_AARCH64")}


@dataclass(frozen=True, slots=True)
class Target:
    """
    A Lambda runtime on a processor, both by Lambda's names.

    :raises StageError: for a runtime that packages are not built for, or an unknown processor
    """

    runtime: str
    architecture: str

    def __post_init__(self) -> None:
        if not RUNTIME.fullmatch(self.runtime):
            raise StageError(
                f'"runtime" in zappa_settings.json is {self.runtime!r}: packages are built for python3.12'
                " and newer, which run on Amazon Linux 2023."
            )
        if self.architecture not in PROCESSORS:
            processors = " or ".join(PROCESSORS)
            raise StageError(
                f'"architecture" in zappa_settings.json is {self.architecture!r}: write {processors}.'
            )

    @property
    def python(self) -> str:
        """The version of Python, for example "3.13"."""
        return self.runtime.removeprefix("python")

    @property
    def platform(self) -> str:
        """The newest wheels that it can load, as `uv pip install --python-platform` names them."""
        return f"{self.processor.wheel}-manylinux_{GLIBC[0]}_{GLIBC[1]}"

    @property
    def processor(self) -> Processor:
        """The processor's other names."""
        return PROCESSORS[self.architecture]


def target_of(settings: Settings) -> Target:
    """
    Return what the settings of a stage say.

    :raises StageError: as `Target`
    """
    return Target(str(settings.get("runtime")), str(settings.get("architecture", "x86_64")))


def target_of_file() -> Target:
    """
    Return what all stages share: the target of the entry `base` in zappa_settings.json.

    :raises StageError: as `Target`
    """
    return target_of(zappa_settings.read()[zappa_settings.BASE])
