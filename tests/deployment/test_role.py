"""
The roles of the two functions: enough for everything they do, and nothing more.

Everything that the API does with AWS is done once as the role. The emulator notes each right that a call
needs. Stores are prepared before that, with all rights.
"""

import io
import json
import uuid
from contextlib import suppress
from typing import Any

import boto3
import pytest
from django.conf import settings as configured
from django.core.management import call_command
from django.db import OperationalError
from django.urls import resolve
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from apps.auth import current_roles
from apps.claims import triggers
from apps.core.aws import clients, secrets
from apps.core.http import routes
from apps.deployment.paths import PROJECT
from apps.devstack import accounts, persona_tokens, provision
from apps.devstack.emulator import Emulator
from apps.devstack.errors import DevstackError
from apps.devstack.personas import BY_KEY
from apps.devstack.postgresql import Cluster
from apps.health import probes
from apps.users.adapters import cognito
from apps.users.models import MopedUser, PendingChange
from tests.core.database.test_postgresql import Login, login, server
from tests.deployment.role import Role
from tests.deployment.template import listed, resources, statements
from tests.rehearsal.clients import carry
from tests.support import strict_mode
from tests.support.lambda_events import TRIGGERS, trigger_event
from tests.users.conftest import stores
from tests.users.stores import NEW_PASSWORD, PASSWORD, SIGN_IN_ATTEMPTS, Stores, profile

pytestmark = [pytest.mark.slow(cost=5), pytest.mark.emulator]
__all__ = ["login", "server", "stores"]

ADMIN = BY_KEY["admin"]
# The emulator asks for no right to call a function through the gateway or to write logs, and it
# has no networks: tests/deployment/test_infrastructure.py reads these in the template.
UNSEEN = {"Gateway", "Logs"}
# The emulator does not know the role of a form's signer by the time that it needs this right.
OF_FORMS = "s3:PutObject"
CALLED = {"create_first_admin", "reconcile_users"}
# Commands of the serving apps that make no call to AWS: they are for developers.
WITHOUT_AWS = {"explain_token", "openapi", "startblueprint"}


def forget() -> None:
    """Empty the caches, as in a new container."""
    current_roles.invalidate()
    secrets.forget()
    probes._cache.clear()


def address() -> str:
    """Return a new address."""
    return f"person.{uuid.uuid4().hex[:12]}@austintexas.gov"


def run(*words: str) -> None:
    """Run a command in a new container."""
    forget()
    call_command(*words, stdout=io.StringIO(), stderr=io.StringIO())


class Api:
    """The API, called as an admin in new containers."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.called: set[str] = set()

    def ask(self, method: str, path: str, body: Any = None, *, expected: int = 200) -> Any:
        """Call a route and require a status."""
        forget()
        client = APIClient(HTTP_AUTHORIZATION=f"Bearer {self.token}")
        content = json.dumps(body) if body else ""
        answer = client.generic(method, path, content, content_type="application/json")
        assert answer.status_code == expected, f"{method} {path}: {answer.status_code} {answer.content!r}"
        self.called.add(f"{method} {resolve(path.partition('?')[0]).url_name}")
        return answer


@pytest.fixture
def api(stores: Stores) -> Api:
    accounts.ensure([ADMIN])
    for _ in range(SIGN_IN_ATTEMPTS):
        with suppress(DevstackError):  # on a busy machine the trigger may not answer in time
            return Api(persona_tokens.id_token(ADMIN))
    raise AssertionError("the pool gives no token")


@pytest.fixture
def person(stores: Stores) -> MopedUser:
    return stores.admit(address(), ["moped-editor"])


@pytest.fixture
def stray_address(stores: Stores) -> str:
    """The address of an account without a person: disabled, and the address is unverified."""
    email = address()
    account = cognito.create(email=email, password=PASSWORD, mark="")
    pool: Any = {"UserPoolId": configured.COGNITO_USER_POOL_ID, "Username": account.username}
    unverified: Any = [{"Name": "email_verified", "Value": "false"}]
    clients.cognito().admin_update_user_attributes(**pool, UserAttributes=unverified)
    clients.cognito().admin_disable_user(**pool)
    return email


@pytest.fixture
def inactive_address(stores: Stores) -> str:
    """The address of a user who has no account."""
    email = address()
    MopedUser.objects.create(**profile(email), is_coa_staff=True, is_deleted=True)
    return email


@pytest.fixture
def changed_outside(stores: Stores) -> MopedUser:
    """A user whose account and row changed without the API."""
    person = stores.admit(address(), ["moped-editor"])
    cognito.set_email(str(person.cognito_user_id), address(), is_verified=True)
    MopedUser.objects.filter(pk=person.pk).update(roles=["moped-viewer"])
    return person


@pytest.fixture
def half_deactivated(stores: Stores) -> MopedUser:
    """A user whose deactivation was cut off before anything was done."""
    person = stores.admit(address(), ["moped-editor"])
    PendingChange.objects.create(
        operation=PendingChange.DELETE,
        email=person.address,
        cognito_user_id=person.cognito_user_id,
        actor={"id": 1, "email": "ada", "sub": "x"},
    )
    return person


def rights_of(role: str) -> set[str]:
    """Return the rights in the template that the emulator asks for."""
    return {
        action
        for statement in statements(role)
        if statement["Sid"] not in UNSEEN
        for action in listed(statement["Action"])
    }


class TestFunctionRole:
    def test_has_the_rights_of_all_calls_and_no_other(
        self, api: Api, person: MopedUser, stray_address: str, inactive_address: str, emulator: Emulator
    ) -> None:
        role, url = Role(provision.stack_outputs()["FunctionRoleArn"]), f"/users/{person.cognito_user_id}"
        request = {"userAttributes": {"email": person.email}}
        event = trigger_event(TRIGGERS[1], userName=str(person.cognito_user_id), request=request)

        with role.worn():
            forget()
            triggers.handler(event, None)
            run("create_first_admin", "--smoke", address(), ADMIN.email, "Ada", "Admin")
            for email in (address(), stray_address):
                api.ask("POST", "/users/", {**profile(email), "password": PASSWORD}, expected=201)
            activation = {"email": inactive_address, "password": PASSWORD, "roles": ["moped-editor"]}
            api.ask("PUT", "/users/activate/", activation)
            # What is signed is used, since only then a right is asked for.
            carry(lambda method, path, _token: api.ask(method, path), api.token, "https://moped.example")
            for route in routes.listing():
                if "GET" in route.methods and f"GET {route.name}" not in api.called:
                    api.ask("GET", route.path.replace("/users/<str:user_id>", url))
            api.ask("PUT", url, {**profile(address()), "password": NEW_PASSWORD})
            api.ask("DELETE", url, expected=204)

        assert api.called == {f"{each} {route.name}" for route in routes.listing() for each in route.methods}
        assert strict_mode.rights_asked_of(emulator.url, role.arn) | {OF_FORMS} == rights_of("FunctionRole")


class TestReconciliationRole:
    def test_has_the_rights_of_all_comparisons_and_no_other(
        self, changed_outside: MopedUser, half_deactivated: MopedUser, emulator: Emulator
    ) -> None:
        role = Role(provision.stack_outputs()["ReconciliationRoleArn"], "reconcile")

        with role.worn():
            for options in ((), ("--rotate-key",)):
                with suppress(SystemExit):  # the stores differ
                    run("reconcile_users", *options)
            for person in (changed_outside, half_deactivated):
                run("reconcile_users", "--only", person.address, "--fix", "--grace=0")

        assert strict_mode.rights_asked_of(emulator.url, role.arn) == rights_of("ReconciliationRole")


class TestCommands:
    def test_that_call_aws_are_all_run_as_a_role(self) -> None:
        paths = PROJECT.glob("apps/*/management/commands/[a-z]*.py")
        serving = {path.stem for path in paths if path.parents[2].name not in {"deployment", "devstack"}}

        assert serving == CALLED | WITHOUT_AWS


@pytest.mark.django_db
class TestDatabaseCredentials:
    def test_open_the_secret_of_the_database_and_no_other(
        self, login: Login, server: Cluster, settings: Settings
    ) -> None:
        (statement,) = resources()["DatabaseCredentials"]["Properties"]["PolicyDocument"]["Statement"]
        arn = boto3.client("secretsmanager").describe_secret(SecretId=login.secret)["ARN"]
        role, other = Role(rights=[{**statement, "Resource": arn}]), Login(server)

        with role.worn():
            assert login.who() == login.user
            settings.DATABASE_SECRET = other.secret
            secrets.forget()
            with pytest.raises(OperationalError, match="cannot be had"):
                other.who()
