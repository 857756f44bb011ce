"""The editor's four calls over HTTP, with tokens that the pool issued, and what they change at sign-in."""

import time
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from apps.auth import current_roles
from apps.claims.hasura import ADMIN, EDITOR, VIEWER
from apps.core.aws import clients
from tests.users.stores import NEW_PASSWORD, PASSWORD, Person, Stores, profile

pytestmark = pytest.mark.emulator


def signed_in(stores: Stores, email: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {stores.tokens(email)['IdToken']}")
    return client


def form(email: str, **changes: Any) -> dict[str, Any]:
    """Return what the editor's form sends: an untouched password is an empty one."""
    return {**profile(email), "password": "", **changes}


@pytest.fixture
def ada(person: Person) -> APIClient:
    """An admin, signed in."""
    return signed_in(person.stores, person.admin.email)


class TestSignInLoop:
    def test_shows_the_effect_of_the_editors_calls(self, person: Person, ada: APIClient) -> None:
        created = ada.post("/users/", form(person.email, password=PASSWORD, roles=[ADMIN]), format="json")
        path = f"/users/{created.json()['cognito_user_id']}"
        assert person.roles_at_sign_in() == [ADMIN]

        changes = {"password": NEW_PASSWORD, "roles": [VIEWER], "last_name": "Smith", "workgroup_id": 7}
        assert ada.put(path, form(person.email, **changes), format="json").status_code == 200
        assert (person.row.last_name, person.row.workgroup_id) == ("Smith", 7)
        assert person.roles_at_sign_in() is None
        assert person.roles_at_sign_in(NEW_PASSWORD) == [VIEWER]
        detail = ada.get(path).json()
        assert (detail["cognito"]["status"], detail["sso"]) == ("CONFIRMED", None)
        assert detail["claims"]["x-hasura-allowed-roles"] == [VIEWER]

        assert ada.delete(path).status_code == 204
        assert person.roles_at_sign_in(NEW_PASSWORD) is None

        assert person.disagreements() == []

        activation = {"email": person.email, "password": PASSWORD, "roles": [EDITOR]}
        assert ada.put("/users/activate/", activation, format="json").status_code == 200
        assert person.roles_at_sign_in() == [EDITOR]

    def test_ends_the_rights_of_a_token_within_a_minute(self, person: Person, ada: APIClient) -> None:
        path = f"/users/{person.admit(ADMIN).cognito_user_id}"
        bob = signed_in(person.stores, person.email)
        assert bob.get(f"{path}/history").status_code == 200

        # Keep what a container has in its cache in which nothing was changed.
        entries = dict(current_roles._cache._entries)
        ada.put(path, form(person.email, roles=[VIEWER]), format="json")
        assert bob.get(f"{path}/history").status_code == 403  # at once where the change was made
        current_roles._cache._entries.update(entries)

        with time_machine.travel(time.time() + 61, tick=True):
            assert bob.get(f"{path}/history").status_code == 403
            # The roles of the token and the roles of the row have nothing in common any more.
            assert bob.get(path).status_code == 403
        assert signed_in(person.stores, person.email).get(path).status_code == 200

    def test_denies_an_account_that_took_a_colleagues_address(self, person: Person) -> None:
        person.admit(ADMIN)
        thief = person.named("thief")
        username = str(thief.admit(VIEWER).cognito_user_id)
        assert person.stores.roles_at_sign_in(username) == [VIEWER]

        # By Cognito's own API, which a signed-in person may call without this API.
        clients.cognito().update_user_attributes(
            AccessToken=person.stores.tokens(username)["AccessToken"],
            UserAttributes=[{"Name": "email", "Value": person.email}],
        )

        account = person.stores.account(username)
        assert account
        assert account.address == person.email
        assert person.stores.roles_at_sign_in(username) is None
        assert person.roles_at_sign_in() == [ADMIN]
