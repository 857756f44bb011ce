"""
The roles of the two functions: enough for everything they do, and nothing more.

Everything is done once as its role. Then each right is taken away, and what needs it must fail.
All calls without each right are `make prove-role` (tests/deployment/prove_role.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from apps.core.http import routes
from apps.deployment.paths import PROJECT
from tests.deployment.permission_matrix import CALLS, made_as, needing
from tests.deployment.role import Right
from tests.deployment.role_fixtures import (
    POLICIES,
    RIGHTS,
    STATEMENTS,
    failing,
    prepared,
    roles,
    scene,
    stores,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.deployment.permission_matrix import Scene
    from tests.deployment.role import Role

pytestmark = [pytest.mark.slow(cost=35), pytest.mark.emulator]
__all__ = ["roles", "scene", "stores"]

# Commands of the serving apps that make no call to AWS: they are for developers.
WITHOUT_AWS = {"explain_token", "openapi", "startblueprint"}


class TestCalls:
    def test_are_all_that_the_api_does(self) -> None:
        served = {f"{method} {route.name}" for route in routes.listing() for method in route.methods}
        commands = {
            path.stem
            for app in ("auth", "core", "files", "users")
            for path in (PROJECT / "apps" / app).glob("management/commands/[a-z]*.py")
        }

        covered = {call.covers for call in CALLS.values()}
        assert covered == served | (commands - WITHOUT_AWS) | {"the trigger"}

    @pytest.mark.parametrize("role", POLICIES)
    def test_need_what_the_role_may_do_and_nothing_else(self, role: str) -> None:
        needed = set().union(*(CALLS[name].needs for name in made_as(role)))

        assert needed == {right.action for right in RIGHTS if right.role == role}


class TestRole:
    @pytest.mark.parametrize("name", POLICIES)
    def test_is_enough_for_everything(self, scene: Scene, roles: Callable[[str], Role], name: str) -> None:
        acts = prepared(scene, made_as(name))

        with roles(name).worn():
            assert failing(acts) == set()

    @pytest.mark.parametrize(("name", "sid"), STATEMENTS)
    def test_has_no_right_too_many(
        self, scene: Scene, roles: Callable[[str], Role], name: str, sid: str, subtests: pytest.Subtests
    ) -> None:
        of_statement, role = (
            [right for right in RIGHTS if (right.role, right.sid) == (name, sid)],
            roles(name),
        )

        for right in [*of_statement, Right(sid, role=name)]:
            call = needing(right if right.action else of_statement[0])[0]
            before, acts = prepared(scene, [call]), prepared(scene, [call])
            with subtests.test(str(right)), role.worn():
                assert failing(before) == set()
                with role.without(right):
                    assert failing(acts) == {call}
