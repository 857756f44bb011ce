"""A refusal names the condition that failed."""

from typing import Any

import pytest

from apps.auth import current_roles
from apps.claims import items as claims_items
from apps.claims.hasura import CLAIMS_NAMESPACE
from tests.conftest import Caller, Impersonate
from tests.support.token_factory import hasura_claim

NOT_VERIFIED, CITY = "not verified", "@austintexas.gov"
ACTIVE, ROLE, ADMIN_ROLE = "no active Moped account", "need a Moped role", "need the role moped-admin"
LISTING, ADMINS_ONLY = "/users/?limit=0", "/users/22222222-2222-4222-8222-222222222222/history"
DOWNLOAD = "/files/download/private/project/1/none.pdf"


class TestRefusal:
    @pytest.mark.parametrize(
        ("persona", "path", "condition"),
        [
            ("unverified", LISTING, NOT_VERIFIED),
            ("unverified", "/files/request-signature?file=a.pdf", NOT_VERIFIED),
            ("unverified", "/users/22222222-2222-4222-8222-222222222222", NOT_VERIFIED),
            ("external_viewer", LISTING, CITY),
            ("no_roles", LISTING, ROLE),
            ("outsider", DOWNLOAD, ACTIVE),
            ("viewer", ADMINS_ONLY, ADMIN_ROLE),
            ("editor", "/users/22222222-2222-4222-8222-222222222222", "to see another user's account"),
        ],
    )
    def test_names_the_condition(
        self, impersonate: Impersonate, persona: str, path: str, condition: str
    ) -> None:
        response = impersonate(persona).get(path)

        assert (response.status_code, response.json()["code"]) == (403, "permission_denied")
        assert condition in response.json()["detail"]

    @pytest.mark.parametrize("path", [LISTING, ADMINS_ONLY, DOWNLOAD])
    def test_says_that_the_account_is_no_longer_active(
        self, calling: Caller, monkeypatch: pytest.MonkeyPatch, path: str
    ) -> None:
        client = calling(**{CLAIMS_NAMESPACE: hasura_claim("moped-admin")})
        current_roles.invalidate()
        monkeypatch.setattr(claims_items, "claims_of", lambda _email: None)

        assert ACTIVE in client.get(path).json()["detail"]

    def test_is_shown_under_a_field_of_the_editors_form(self, impersonate: Impersonate) -> None:
        answer: dict[str, Any] = impersonate("unverified").post("/users/", {}, format="json").json()

        assert NOT_VERIFIED in answer["error"]["email"][0]
