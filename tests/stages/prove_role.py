"""`make prove-role`: every call without each right; those fail that are said to need it, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.stages.calls import CALLS, needing
from tests.stages.proof import RIGHTS, failing, prepared, role, scene, stores

if TYPE_CHECKING:
    from tests.stages.calls import Scene
    from tests.stages.role import Right, Role

pytestmark = pytest.mark.emulator
__all__ = ["role", "scene", "stores"]


@pytest.mark.parametrize("right", RIGHTS, ids=str)
def test_exactly_what_needs_it_fails_without(scene: Scene, role: Role, right: Right) -> None:
    acts = prepared(scene, list(CALLS))

    with role.worn(), role.without(right):
        assert failing(acts) == set(needing(right.action))
