import json
import logging
from typing import Any
from unittest.mock import Mock

import pytest

from apps.claims import items as claims_items
from apps.claims import triggers
from apps.claims.hasura import CLAIMS_NAMESPACE, HasuraClaims
from apps.core.errors import UnavailableError

UUID = "11111111-1111-4111-8111-111111111111"
ANOTHER_UUID = "99999999-9999-4999-8999-999999999999"
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
def claims_of(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """Stands for the claims table, in which all addresses have the same claims."""
    lookup = Mock(return_value=CLAIMS)
    monkeypatch.setattr(claims_items, "claims_of", lookup)
    return lookup


class TestHandler:
    def test_puts_the_claims_into_the_token_as_a_string(self, claims_of: Mock) -> None:
        answer = triggers.handler(event(email="jane.doe@austintexas.gov"), None)

        added = answer["response"]["claimsOverrideDetails"]["claimsToAddOrOverride"]
        assert json.loads(added[CLAIMS_NAMESPACE]) == CLAIMS.as_dict()

    @pytest.mark.parametrize(
        ("incoming", "address"),
        [
            (event(email="Jane.Doe@AustinTexas.gov"), "jane.doe@austintexas.gov"),
            (event("azuread_Jane.Doe@AustinTexas.gov"), "jane.doe@austintexas.gov"),
            (event("AzureAD_Jane.Doe@austintexas.gov", email="alias@x.gov"), "jane.doe@austintexas.gov"),
            # Not the item of jackie@austintexas.gov.
            (event(email="jac\u212aie@austintexas.gov"), "jac\u212aie@austintexas.gov"),
            (event("azuread_jac\u212aie@austintexas.gov"), "jac\u212aie@austintexas.gov"),
            (event("azuread_jackie@austintexas.gov\u3000"), "jackie@austintexas.gov\u3000"),
        ],
    )
    def test_reads_the_item_of_the_address(
        self, claims_of: Mock, incoming: dict[str, Any], address: str
    ) -> None:
        triggers.handler(incoming, None)

        claims_of.assert_called_once_with(address)

    def test_lets_a_warming_ping_pass(self, claims_of: Mock) -> None:
        ping = {"source": "aws.events"}

        assert triggers.handler(ping, None) == ping
        assert not claims_of.called

    @pytest.mark.parametrize(
        ("incoming", "code"),
        [
            *(
                (event(username, email="other@austintexas.gov"), "account_kind_unknown")
                for username in (
                    "jane.doe@austintexas.gov",
                    "google_jane.doe@austintexas.gov",
                    "azuread_",
                    "",
                )
            ),
            (event(), "no_email"),
            (event(ANOTHER_UUID, email="JANE.doe@austintexas.gov"), "another_account"),
        ],
    )
    def test_denies_a_wrong_account(self, claims_of: Mock, incoming: dict[str, Any], code: str) -> None:
        with pytest.raises(triggers.SignInDeniedError) as denial:
            triggers.handler(incoming, None)

        assert denial.value.code == code
        assert claims_of.called == (code == "another_account")

    @pytest.mark.parametrize(
        ("outcome", "code"),
        [
            (None, "no_claims"),
            (claims_items.UnreadableItemError(), "claims_unreadable"),
            (UnavailableError(), "unavailable"),
        ],
    )
    def test_denies_with_a_reason_and_logs_no_personal_data(
        self, claims_of: Mock, caplog: pytest.LogCaptureFixture, outcome: Exception | None, code: str
    ) -> None:
        claims_of.side_effect = [outcome]

        with caplog.at_level(logging.DEBUG), pytest.raises(triggers.SignInDeniedError) as denial:
            triggers.handler(event("azuread_jane.doe@austintexas.gov"), None)

        assert denial.value.code == code
        assert [vars(record)["code"] for record in caplog.records] == [code]
        assert "jane" not in repr([vars(record) for record in caplog.records])
