"""The machine that a package is built for: a Lambda runtime on a processor."""

import re
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
    if not RUNTIME.fullmatch(target.runtime):
        raise StageError(
            f'"runtime" in zappa_settings.json is {target.runtime!r}: packages are built for python3.12'
            " and newer, which run on Amazon Linux 2023."
        )
    if target.architecture not in PROCESSORS:
        processors = " or ".join(PROCESSORS)
        raise StageError(
            f'"architecture" in zappa_settings.json is {target.architecture!r}: write {processors}.'
        )
    return target


def target_of_file() -> Target:
    """
    Return what all stages share: the target of the entry `base` in zappa_settings.json.

    :raises StageError: as `target_of`
    """
    return target_of(zappa_settings.read()[zappa_settings.BASE])
