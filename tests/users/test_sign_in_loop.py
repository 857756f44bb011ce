"""The editor's four calls over HTTP, with tokens that the pool issued, and what they change at sign-in."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from rest_framework.test import APIClient

from apps.auth import current_roles
from apps.claims.hasura import ADMIN, EDITOR, VIEWER
from apps.core.aws import clients
from apps.users.adapters import cognito
from tests.users.stores import NEW_PASSWORD, PASSWORD, profile

if TYPE_CHECKING:
    from apps.auth.callers import CognitoUser
    from tests.users.stores import Stores

pytestmark = pytest.mark.emulator


def signed_in(stores: Stores, email: str, password: str = PASSWORD) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {stores.tokens(email, password)['IdToken']}")
    return client


def form(email: str, **changes: Any) -> dict[str, Any]:
    """Return what the editor's form sends: an untouched password is an empty one."""
    return {**profile(email), "password": "", **changes}


class TestSignInLoop:
    def test_shows_the_effect_of_the_editors_calls(
        self, stores: Stores, admin: CognitoUser, email: str
    ) -> None:
        ada = signed_in(stores, admin.email)

        created = ada.post("/users/", form(email, password=PASSWORD, roles=[ADMIN]), format="json")
        assert created.status_code == 201, created.content
        path = f"/users/{created.json()['cognito_user_id']}"
        assert stores.roles_at_sign_in(email) == [ADMIN]

        changed = ada.put(path, form(email, password=NEW_PASSWORD, roles=[VIEWER]), format="json")
        assert changed.status_code == 200, changed.content
        assert stores.roles_at_sign_in(email, NEW_PASSWORD) == [VIEWER]

        assert ada.delete(path).status_code == 204
        assert stores.roles_at_sign_in(email, NEW_PASSWORD) is None

        activation = {"email": email, "password": PASSWORD, "roles": [EDITOR]}
        assert ada.put("/users/activate/", activation, format="json").status_code == 200
        assert stores.roles_at_sign_in(email) == [EDITOR]

    def test_ends_the_rights_of_a_token_within_a_minute(
        self, stores: Stores, admin: CognitoUser, email: str
    ) -> None:
        ada = signed_in(stores, admin.email)
        body = form(email, password=PASSWORD, roles=[ADMIN])
        path = f"/users/{ada.post('/users/', body, format='json').json()['cognito_user_id']}"
        bob = signed_in(stores, email)
        assert bob.get(f"{path}/history").status_code == 200

        entries = dict(
            current_roles._cache._entries
        )  # as a container keeps them in which nothing was changed
        ada.put(path, form(email, roles=[VIEWER]), format="json")
        current_roles._cache._entries.update(entries)

        with time_machine.travel(time.time() + 61, tick=True):
            assert bob.get(f"{path}/history").status_code == 403
            # What the token says and what Moped says have nothing in common any more.
            assert bob.get(path).status_code == 403
        assert signed_in(stores, email).get(path).status_code == 200

    def test_denies_an_account_that_took_a_colleagues_address(self, stores: Stores, email: str) -> None:
        stores.admit(email, [ADMIN])
        thief = stores.admit(f"thief.{email}", [VIEWER])
        username = str(thief.cognito_user_id)
        assert stores.roles_at_sign_in(username) == [VIEWER]

        # By Cognito's own API, which a signed-in person may call past us.
        clients.cognito().update_user_attributes(
            AccessToken=stores.tokens(username)["AccessToken"],
            UserAttributes=[{"Name": "email", "Value": email}],
        )

        assert cognito.get(username).address == email
        assert stores.roles_at_sign_in(username) is None
        assert stores.roles_at_sign_in(email) == [ADMIN]
