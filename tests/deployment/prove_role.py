"""`make prove-role`: every call without each right; those fail that are said to need it, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.deployment.permission_matrix import made_as, needing
from tests.deployment.role_fixtures import RIGHTS, failing, prepared, roles, scene, stores

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.deployment.permission_matrix import Scene
    from tests.deployment.role import Right, Role

pytestmark = pytest.mark.emulator
__all__ = ["roles", "scene", "stores"]


@pytest.mark.parametrize("right", RIGHTS, ids=str)
def test_exactly_what_needs_it_fails_without(
    scene: Scene, roles: Callable[[str], Role], right: Right
) -> None:
    acts, role = prepared(scene, made_as(right.role)), roles(right.role)

    with role.worn(), role.without(right):
        assert failing(acts) == set(needing(right))
