"""
The roles of the two functions: enough for everything they do, and nothing more.

Everything is done once as its role. The emulator notes each right that a call needs.
"""

from contextlib import suppress

import pytest

from apps.core.http import routes
from apps.deployment.paths import PROJECT
from apps.devstack import accounts, persona_tokens, provision
from apps.devstack.emulator import Emulator
from apps.devstack.errors import DevstackError
from apps.devstack.personas import BY_KEY
from tests.deployment.api_calls import CALLS, Scene
from tests.deployment.role import Role
from tests.deployment.template import listed, statements
from tests.support import strict_mode
from tests.users.conftest import stores
from tests.users.stores import SIGN_IN_ATTEMPTS, Stores

pytestmark = [pytest.mark.slow(cost=5), pytest.mark.emulator]
__all__ = ["stores"]

# The emulator asks for no right to call a function through the gateway or to write logs, and it
# has no networks: tests/deployment/test_infrastructure.py reads these in the template.
UNSEEN = {"Gateway", "Logs"}
# The emulator does not know the role of a form's signer by the time that it needs this right.
OF_FORMS = {"FunctionRole": {"s3:PutObject"}, "ReconciliationRole": set[str]()}
# The role of each function, and its policy.
POLICIES = {"FunctionRole": "api", "ReconciliationRole": "reconcile"}
# Commands of the serving apps that make no call to AWS: they are for developers.
WITHOUT_AWS = {"explain_token", "openapi", "startblueprint"}


@pytest.fixture
def scene(stores: Stores) -> Scene:
    """An admin with a real token, and the three stores."""
    accounts.ensure([BY_KEY["admin"]])
    for _ in range(SIGN_IN_ATTEMPTS):
        with suppress(DevstackError):  # on a busy machine the trigger may not answer in time
            return Scene(persona_tokens.id_token(BY_KEY["admin"]), stores)
    raise AssertionError("the pool gives no token")


class TestCalls:
    def test_are_all_that_the_api_does(self) -> None:
        served = {f"{method} {route.name}" for route in routes.listing() for method in route.methods}
        commands = {
            path.stem
            for app in ("auth", "core", "files", "users")
            for path in (PROJECT / "apps" / app).glob("management/commands/[a-z]*.py")
        }

        covered = {call.covers for call in CALLS}
        assert covered == served | (commands - WITHOUT_AWS) | {"the trigger"}


@pytest.mark.parametrize("name", POLICIES)
class TestRole:
    def test_has_the_rights_that_its_calls_need_and_no_other(
        self, scene: Scene, emulator: Emulator, name: str
    ) -> None:
        role = Role(provision.stack_outputs()[f"{name}Arn"], POLICIES[name])
        calls = [call.prepare(scene) for call in CALLS if call.role == name]

        with role.worn():
            for call in calls:
                call()

        rights = {
            action
            for statement in statements(name)
            if statement["Sid"] not in UNSEEN
            for action in listed(statement["Action"])
        }
        assert strict_mode.rights_asked_of(emulator.url, role.arn) | OF_FORMS[name] == rights
