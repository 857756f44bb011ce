from typing import Any

import pytest

from apps.auth.callers import Anonymous, CognitoUser
from apps.auth.tokens import verifier
from apps.claims.hasura import CLAIMS_NAMESPACE
from tests.support.token_factory import USER_ID, Signer, hasura_claim


def user(signer: Signer, **claims: Any) -> CognitoUser:
    return verifier.verify(signer.token(**claims))


SSO = "azuread_jane.doe@austintexas.gov"


class TestVerifiedCityAddress:
    """The part of the "valid user" rule that is about the address; test_identity has its spellings."""

    @pytest.mark.parametrize(
        ("claims", "is_verified", "has_city_address"),
        [
            ({}, True, True),
            ({"email_verified": "true"}, True, True),
            ({"email_verified": None, "cognito:username": SSO}, True, True),
            ({"email_verified": False, "cognito:username": "AzureAD_Jane.Doe@AustinTexas.gov"}, True, True),
            ({"email_verified": False}, False, True),
            ({"email_verified": "false"}, False, True),
            ({"email_verified": None}, False, True),
            ({"email_verified": False, "cognito:username": "azuread_jane.doe@gmail.com"}, False, True),
            ({"email": "jane.doe@gmail.com"}, True, False),
        ],
    )
    def test_has_two_conditions(
        self, signer: Signer, claims: dict[str, Any], *, is_verified: bool, has_city_address: bool
    ) -> None:
        caller = user(signer, **claims)

        assert (caller.is_verified, caller.has_city_address) == (is_verified, has_city_address)


class TestCognitoUser:
    @pytest.fixture
    def caller(self, signer: Signer) -> CognitoUser:
        return user(signer, identities=[{"userId": "x"}])

    def test_has_no_attribute_that_it_does_not_declare(self, signer: Signer) -> None:
        assert not hasattr(user(signer, is_superuser=True), "is_superuser")

    def test_has_the_attributes_of_an_anonymous_caller(self) -> None:
        public = {name for name in dir(CognitoUser) if not name.startswith("_")}

        assert {name for name in public if not hasattr(Anonymous(), name)} == {
            *("document", "email_verified", "exp", "nonce", "payload"),  # what only a token has
        }

    def test_cannot_be_changed(self, caller: CognitoUser) -> None:
        for name in caller.__struct_fields__:
            with pytest.raises(AttributeError):
                setattr(caller, name, "another user")
        assert hash(caller)  # neither can what it holds

    def test_gives_a_fresh_payload_to_each_who_asks(self, caller: CognitoUser) -> None:
        caller.payload["identities"].append("mischief")
        caller.payload["email"] = "mischief"

        assert caller.payload["identities"] == [{"userId": "x"}]
        assert caller.payload["email"] == "jane.doe@austintexas.gov"
        assert caller.payload[CLAIMS_NAMESPACE] == hasura_claim("moped-editor")

    def test_says_in_a_log_whose_it_is_and_no_more(self, caller: CognitoUser) -> None:
        assert repr(caller) == str(caller) == f"<CognitoUser {USER_ID}>"
