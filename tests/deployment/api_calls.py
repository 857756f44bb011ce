"""
Everything that the API does with AWS.

A call is prepared with all rights and then made as the function's role. It raises if it does not succeed.
"""

import io
import json
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from rest_framework.test import APIClient

from apps.auth import current_roles
from apps.claims import triggers
from apps.core.aws import clients, secrets
from apps.core.http import routes
from apps.devstack.personas import BY_KEY
from apps.users.adapters import cognito
from apps.users.models import MopedUser, PendingChange
from tests.rehearsal.clients import carry
from tests.users.stores import NEW_PASSWORD, PASSWORD, Stores, profile


@dataclass(frozen=True)
class Scene:
    """What calls are made with: an admin's real token, and stores that can be prepared."""

    token: str
    stores: Stores

    def person(self) -> MopedUser:
        """Return a new user with an account, a row and claims."""
        return self.stores.admit(address(), ["moped-editor"])

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None, *, expected: int = 200) -> Any:
        """Call a route as the admin, in a container with empty caches."""
        forget()
        client = APIClient(HTTP_AUTHORIZATION=f"Bearer {self.token}")
        content = "" if body is None else json.dumps(body)
        answer = client.generic(method, path, content, content_type="application/json")
        assert answer.status_code == expected, f"{method} {path}: {answer.status_code} {answer.content!r}"
        return answer


class Call(NamedTuple):
    """Something that the API does: its route or command, how it is prepared, and as which role it is made."""

    covers: str
    prepare: Callable[[Scene], Callable[[], object]]
    role: str = "FunctionRole"


def forget() -> None:
    """Empty the caches."""
    current_roles.invalidate()
    secrets.forget()
    cache.clear()


def address() -> str:
    """Return a new address."""
    return f"person.{uuid.uuid4().hex[:12]}@austintexas.gov"


def creating(scene: Scene) -> Callable[[], object]:
    """Create a new user."""
    body = {**profile(address()), "password": PASSWORD}
    return lambda: scene.ask("POST", "/users/", body, expected=201)


def adopting(scene: Scene) -> Callable[[], object]:
    """Create a user who has a stray account: disabled, with an unverified address."""
    email = address()
    account = cognito.create(email=email, password=PASSWORD, mark="")
    pool: Any = {"UserPoolId": settings.COGNITO_USER_POOL_ID, "Username": account.username}
    unproven: Any = [{"Name": "email_verified", "Value": "false"}]
    clients.cognito().admin_update_user_attributes(**pool, UserAttributes=unproven)
    clients.cognito().admin_disable_user(**pool)
    body = {**profile(email), "password": PASSWORD}
    return lambda: scene.ask("POST", "/users/", body, expected=201)


def changing(scene: Scene) -> Callable[[], object]:
    """Give a user another address and another password."""
    path, body = _path(scene.person()), {**profile(address()), "password": NEW_PASSWORD}
    return lambda: scene.ask("PUT", path, body)


def deactivating(scene: Scene) -> Callable[[], object]:
    """Remove a user's rights and accounts."""
    path = _path(scene.person())
    return lambda: scene.ask("DELETE", path, expected=204)


def activating(scene: Scene) -> Callable[[], object]:
    """Give an account to a user who has none."""
    email = address()
    MopedUser.objects.create(**profile(email), is_coa_staff=True, is_deleted=True)
    body = {"email": email, "password": PASSWORD, "roles": ["moped-editor"]}
    return lambda: scene.ask("PUT", "/users/activate/", body)


def reading(path: str) -> Callable[[Scene], Callable[[], object]]:
    """Return what prepares a request about one user, or about none."""

    def prepare(scene: Scene) -> Callable[[], object]:
        url = path.replace("<id>", str(scene.person().cognito_user_id)) if "<id>" in path else path
        return lambda: scene.ask("GET", url)

    return prepare


def signing_in(scene: Scene) -> Callable[[], object]:
    """Put a user's claims into a token, as the pool requests it."""
    person = scene.person()
    event = {
        "triggerSource": "TokenGeneration_Authentication",
        "userName": str(person.cognito_user_id),
        "request": {"userAttributes": {"email": person.email}},
    }

    def act() -> None:
        forget()
        triggers.handler(event, None)

    return act


def setting_up(_scene: Scene) -> Callable[[], object]:
    """Create the test account of deployments beside the first admin, who is there already."""
    admin, smoke = BY_KEY["admin"], address()
    command = ("create_first_admin", "--smoke", smoke, admin.email, "Ada", "Admin")

    def act() -> None:
        forget()
        call_command(*command, stdout=io.StringIO())

    return act


def reconciling(*options: str) -> Callable[[Scene], Callable[[], object]]:
    """Return what prepares a comparison of the three stores; that they differ is an answer too."""

    def prepare(scene: Scene) -> Callable[[], object]:
        scene.person()

        def act() -> None:
            with suppress(SystemExit):
                _reconcile(*options)

        return act

    return prepare


def repairing(spoil: Callable[[MopedUser], object]) -> Callable[[Scene], Callable[[], object]]:
    """Return what prepares the repair of one person's account; it fails if a finding is left."""

    def prepare(scene: Scene) -> Callable[[], object]:
        person = scene.person()
        spoil(person)
        return lambda: _reconcile("--only", person.address, "--fix", "--grace=0")

    return prepare


def another_address_and_role(person: MopedUser) -> None:
    """Let the account and the row change without the API."""
    cognito.set_email(str(person.cognito_user_id), address(), is_verified=True)
    MopedUser.objects.filter(pk=person.pk).update(roles=["moped-viewer"])


def deactivated_halfway(person: MopedUser) -> None:
    """Leave a deactivation that was cut off before anything was done."""
    PendingChange.objects.create(
        operation=PendingChange.DELETE,
        email=person.address,
        cognito_user_id=person.cognito_user_id,
        actor={"id": 1, "email": "ada", "sub": "x"},
    )


def _reconcile(*options: str) -> None:
    forget()
    call_command("reconcile_users", *options, stdout=io.StringIO(), stderr=io.StringIO())


def carrying(scene: Scene) -> Callable[[], object]:
    """Upload a file and download it: what is signed is used, since only then a right is asked for."""

    def call(method: str, path: str, _token: str) -> Any:
        return scene.ask(method, path)

    return lambda: carry(call, scene.token, "https://moped.example")


CALLS = (
    Call("POST users", creating),
    Call("POST users", adopting),
    Call("PUT user", changing),
    Call("DELETE user", deactivating),
    Call("PUT activate-user", activating),
    Call("GET user", reading("/users/<id>")),
    Call("GET user-history", reading("/users/<id>/history")),
    Call("the trigger", signing_in),
    Call("create_first_admin", setting_up),
    Call("reconcile_users", reconciling(), "ReconciliationRole"),
    Call("reconcile_users", reconciling("--rotate-key"), "ReconciliationRole"),
    Call("reconcile_users", repairing(another_address_and_role), "ReconciliationRole"),
    Call("reconcile_users", repairing(deactivated_halfway), "ReconciliationRole"),
    Call("GET file-upload", carrying),
    Call("GET file-download", carrying),
    *(
        Call(f"GET {route.name}", reading(route.path))
        for route in routes.listing()
        if "GET" in route.methods and "<" not in route.path and route.name != "file-upload"
    ),
)


def _path(person: MopedUser) -> str:
    return f"/users/{person.cognito_user_id}"
