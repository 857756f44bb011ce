"""The emulator in strict mode, from the tests' side; strict_emulator.py lists the rules."""

from pathlib import Path
from typing import Any

import requests

from tests.support.waiting import LIMIT_SECONDS

LAUNCHER = Path(__file__).with_name("strict_emulator.py")


def set_seconds_between_deployments(url: str, seconds: int) -> None:
    """Let the emulator take one deployment of a REST API in these seconds. At first they are 5, as on AWS."""
    _call(url, f"seconds_between_deployments/{seconds}")


def refuse_roles(url: str, times: int) -> None:
    """Let Lambda refuse the roles that it is given next so often, as if they were new."""
    _call(url, f"refusals_of_roles/{times}")


def rights_asked_of(url: str, role: str) -> set[str]:
    """Return the rights that were asked of a role since the emulator was started."""
    name = role.rpartition("/")[2]
    return {action for caller, action in _call(url, "rights") if caller.split("/")[1:2] == [name]}


def _call(url: str, control: str) -> Any:
    answer = requests.get(f"{url}/_strict/{control}", timeout=LIMIT_SECONDS)
    answer.raise_for_status()
    return answer.json()
