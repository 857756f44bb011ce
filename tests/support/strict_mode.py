"""The emulator in strict mode, from the tests' side; strict_emulator.py lists the rules."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import requests

from tests.support.waiting import LIMIT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

LAUNCHER = Path(__file__).with_name("strict_emulator.py")
AS_ON_AWS = 5


@contextmanager
def seconds_between_deployments(url: str, seconds: float) -> Iterator[None]:
    """Let the emulator take one deployment of a REST API in these seconds, and as on AWS afterwards."""
    _set(url, seconds)
    try:
        yield
    finally:
        _set(url, AS_ON_AWS)


def _set(url: str, seconds: float) -> None:
    address = f"{url}/_strict/seconds_between_deployments/{seconds}"
    requests.get(address, timeout=LIMIT_SECONDS).raise_for_status()


def rights_asked_of(url: str, role: str) -> set[str]:
    """Return the rights that were asked of a role since the emulator was started."""
    asked = requests.get(f"{url}/_strict/rights", timeout=LIMIT_SECONDS).json()
    name = role.rpartition("/")[2]
    return {action for caller, action in asked if caller.split("/")[1:2] == [name]}
