from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from apps.claims import items as claims_items
from apps.claims import triggers
from apps.claims.hasura import CLAIMS_NAMESPACE, HasuraClaims
from apps.core.errors import UnavailableError

UUID = "11111111-1111-4111-8111-111111111111"
CLAIMS = HasuraClaims.of(user_id=UUID, roles=["moped-editor"], database_id=77, workgroup_id=3)


def event(username: str = UUID, **attributes: str) -> dict[str, Any]:
    return {
        "version": "1",
        "triggerSource": "TokenGeneration_Authentication",
        "userName": username,
        "request": {"userAttributes": attributes, "groupConfiguration": {}},
        "response": {"claimsOverrideDetails": None},
    }


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses whose claims were looked up. All have the same claims."""
    addresses: list[str] = []

    def claims_of(email: str) -> HasuraClaims:
        addresses.append(email)
        return CLAIMS

    monkeypatch.setattr(claims_items, "claims_of", claims_of)
    return addresses


def failing(monkeypatch: pytest.MonkeyPatch, outcome: Exception | None) -> None:
    def claims_of(email: str) -> None:
        if outcome:
            raise outcome

    monkeypatch.setattr(claims_items, "claims_of", claims_of)


class TestHandler:
    def test_puts_the_claims_into_the_token_as_a_string(self, addresses: list[str]) -> None:
        answer = triggers.handler(event(email="jane.doe@austintexas.gov"), None)

        added = answer["response"]["claimsOverrideDetails"]["claimsToAddOrOverride"]
        assert json.loads(added[CLAIMS_NAMESPACE]) == CLAIMS.as_dict()

    @pytest.mark.parametrize(
        "incoming",
        [
            pytest.param(event(email="Jane.Doe@AustinTexas.gov"), id="native"),
            pytest.param(event("azuread_Jane.Doe@AustinTexas.gov"), id="single sign-on"),
            pytest.param(event("AzureAD_Jane.Doe@austintexas.gov"), id="single sign-on, prefix in capitals"),
        ],
    )
    def test_lower_cases_the_address(self, addresses: list[str], incoming: dict[str, Any]) -> None:
        triggers.handler(incoming, None)

        assert addresses == ["jane.doe@austintexas.gov"]

    @pytest.mark.parametrize(
        ("incoming", "address"),
        [
            pytest.param(
                event(email="jac\u212aie@austintexas.gov"), "jac\u212aie@austintexas.gov", id="native"
            ),
            pytest.param(
                event("azuread_jac\u212aie@austintexas.gov"),
                "jac\u212aie@austintexas.gov",
                id="single sign-on",
            ),
            pytest.param(
                event("azuread_jackie@austintexas.gov\u3000"), "jackie@austintexas.gov\u3000", id="space"
            ),
        ],
    )
    def test_reads_no_item_of_a_similar_address(
        self, addresses: list[str], incoming: dict[str, Any], address: str
    ) -> None:
        triggers.handler(incoming, None)

        assert addresses == [address]

    @pytest.mark.parametrize(
        "username", ["jane.doe@austintexas.gov", "google_jane.doe@austintexas.gov", "azuread_", ""]
    )
    def test_denies_accounts_of_an_unknown_kind(self, addresses: list[str], username: str) -> None:
        with pytest.raises(triggers.SignInDeniedError) as denial:
            triggers.handler(event(username, email="other@austintexas.gov"), None)

        assert denial.value.code == "account_kind_unknown"
        assert not addresses

    def test_lets_a_warming_ping_pass(self, addresses: list[str]) -> None:
        ping = {"source": "aws.events"}

        assert triggers.handler(ping, None) == ping
        assert not addresses

    @pytest.mark.parametrize(
        ("outcome", "code"),
        [
            pytest.param(None, "no_claims", id="no item"),
            pytest.param(claims_items.UnreadableItemError(), "claims_unreadable", id="unreadable"),
            pytest.param(UnavailableError(), "unavailable", id="table away"),
        ],
    )
    def test_denies_with_a_reason(
        self,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        outcome: Exception | None,
        code: str,
    ) -> None:
        failing(monkeypatch, outcome)

        with caplog.at_level(logging.INFO), pytest.raises(triggers.SignInDeniedError) as denial:
            triggers.handler(event(email="jane.doe@austintexas.gov"), None)

        assert denial.value.code == code
        assert [record.__dict__["code"] for record in caplog.records] == [code]

    def test_denies_an_account_with_another_users_address(self, addresses: list[str]) -> None:
        another = "99999999-9999-4999-8999-999999999999"

        with pytest.raises(triggers.SignInDeniedError, match="another account"):
            triggers.handler(event(another, email="JANE.doe@austintexas.gov"), None)

    def test_denies_an_account_without_an_address(self, addresses: list[str]) -> None:
        with pytest.raises(triggers.SignInDeniedError, match="no email address"):
            triggers.handler(event(), None)

    def test_logs_no_personal_data(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        failing(monkeypatch, None)

        with caplog.at_level(logging.DEBUG), pytest.raises(triggers.SignInDeniedError):
            triggers.handler(event("azuread_jane.doe@austintexas.gov"), None)

        assert "jane" not in repr([record.__dict__ for record in caplog.records])
