"""What proving the functions' roles stands on: the roles worn, on three real stores."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from apps.devstack import accounts, persona_tokens, stack
from apps.devstack.errors import DevstackError
from apps.devstack.personas import BY_KEY
from tests.deployment.permission_matrix import CALLS, CallFailedError, Scene
from tests.deployment.role import Right, Role
from tests.deployment.template import listed, statements
from tests.users.conftest import stores
from tests.users.stores import SIGN_IN_ATTEMPTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.users.stores import Stores

__all__ = ["roles", "scene", "stores"]

# The emulator asks for no right to call a function through the gateway or to write logs, and it
# has no networks: tests/deployment/test_infrastructure.py reads these in the template.
UNSEEN = {"Gateway", "Logs"}

# The role of each function, and its policy.
POLICIES = {"FunctionRole": "api", "ReconciliationRole": "reconcile"}

RIGHTS = [
    Right(statement["Sid"], action, role)
    for role in POLICIES
    for statement in statements(role)
    if statement["Sid"] not in UNSEEN
    for action in listed(statement["Action"])
]
STATEMENTS = list(dict.fromkeys((right.role, right.sid) for right in RIGHTS))


@pytest.fixture
def scene(stores: Stores) -> Scene:
    """An admin with a real token, in front of a furnished world."""
    accounts.ensure([BY_KEY["admin"]])
    return Scene(_token(), stores)


def _token() -> str:
    for _ in range(SIGN_IN_ATTEMPTS):
        with suppress(DevstackError):  # on a busy machine the trigger may not answer in time
            return persona_tokens.id_token(BY_KEY["admin"])
    raise AssertionError("the pool gives no token")


@pytest.fixture
def roles(stores: Stores) -> Callable[[str], Role]:
    """Return a maker of copies of the template's roles, to put on."""
    return lambda name: Role(stack.outputs()[f"{name}Arn"], POLICIES[name])


def prepared(scene: Scene, names: list[str]) -> dict[str, Callable[[], object]]:
    """Prepare calls while there is every right to."""
    return {name: CALLS[name].prepare(scene) for name in names}


def failing(acts: dict[str, Callable[[], object]]) -> set[str]:
    """Make calls and return the names of those that fail."""
    failed = set()
    for name, act in acts.items():
        try:
            act()
        except CallFailedError:
            failed.add(name)
    return failed
