"""
The function's role: enough for everything the API does, and nothing more.

Everything is done once as the role. Then each right is taken away, and what needs it must fail.
All calls without each right are `make prove-role` (tests/stages/prove_role.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from apps.core import routes
from apps.stages.paths import PROJECT
from tests.stages.calls import CALLS, needing
from tests.stages.proof import RIGHTS, SIDS, failing, prepared, role, scene, stores
from tests.stages.role import Right

if TYPE_CHECKING:
    from tests.stages.calls import Scene
    from tests.stages.role import Role

pytestmark = [pytest.mark.slow(cost=25), pytest.mark.emulator]
__all__ = ["role", "scene", "stores"]

# Commands of the serving apps that ask nothing of AWS: they are for whoever develops.
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

    def test_need_what_the_role_may_do_and_nothing_else(self) -> None:
        needed = set().union(*(call.needs for call in CALLS.values()))

        assert needed == {right.action for right in RIGHTS}


class TestRole:
    def test_is_enough_for_everything(self, scene: Scene, role: Role) -> None:
        acts = prepared(scene, list(CALLS))

        with role.worn():
            assert failing(acts) == set()

    @pytest.mark.parametrize("sid", SIDS)
    def test_has_no_right_too_many(
        self, scene: Scene, role: Role, sid: str, subtests: pytest.Subtests
    ) -> None:
        of_statement = [right for right in RIGHTS if right.sid == sid]

        for right in [*of_statement, Right(sid)]:
            name = needing(right.action or of_statement[0].action)[0]
            before, acts = prepared(scene, [name]), prepared(scene, [name])
            with subtests.test(str(right)), role.worn():
                assert failing(before) == set()
                with role.without(right):
                    assert failing(acts) == {name}
