from __future__ import annotations

from typing import Any

import pytest

from apps.auth.callers import Anonymous, CognitoUser
from apps.auth.tokens import verifier
from tests.support.token_factory import Signer, hasura_claim

HASURA = "https://hasura.io/jwt/claims"


def user(signer: Signer, **claims: Any) -> CognitoUser:
    return CognitoUser(verifier.verify(signer.token(**claims)))


def has_verified_city_address(caller: CognitoUser) -> bool:
    return caller.is_verified and caller.has_city_address


class TestVerifiedCityAddress:
    """The part of the "valid user" rule that is about the address."""

    @pytest.mark.parametrize(
        "claims",
        [
            {},
            {"email": "X@AUSTINTEXAS.GOV"},
            {"email_verified": "true"},
            {"email_verified": False, "cognito:username": "azuread_jane.doe@austintexas.gov"},
            {"email_verified": None, "cognito:username": "azuread_jane.doe@austintexas.gov"},
            {"email_verified": False, "cognito:username": "azuread_jane.doe@AUSTINTEXAS.GOV"},
            {"email_verified": False, "cognito:username": "AzureAD_Jane.Doe@AustinTexas.gov"},
            {HASURA: hasura_claim()},
        ],
        ids=[
            "plain",
            "capitals",
            "verified as text",
            "sso",
            "sso without the claim",
            "sso in capitals",
            "sso prefix in capitals",
            "no roles",
        ],
    )
    def test_holds_for_a_proven_address_of_the_city(self, signer: Signer, claims: dict[str, Any]) -> None:
        assert has_verified_city_address(user(signer, **claims))

    @pytest.mark.parametrize(
        "claims",
        [
            {"email_verified": False},
            {"email_verified": "false"},
            {"email_verified": False, "cognito:username": "azuread_jane.doe@gmail.com"},
            {"email_verified": False, "cognito:username": "jane.doe@austintexas.gov"},
            {"email": "jane.doe@gmail.com"},
            {"email": "jane.doe@parks.austintexas.gov"},
            {"email": "jane.doe@austintexas.gov.evil.example"},
            {"email": "jane.doe@notaustintexas.gov"},
        ],
        ids=[
            "unverified",
            "unverified as text",
            "sso from elsewhere",
            "sso without its prefix",
            "elsewhere",
            "sub-domain",
            "suffix",
            "look-alike",
        ],
    )
    def test_does_not_hold_for_anyone_else(self, signer: Signer, claims: dict[str, Any]) -> None:
        assert not has_verified_city_address(user(signer, **claims))


class TestCognitoUser:
    def test_has_no_attribute_that_it_does_not_declare(self, signer: Signer) -> None:
        assert not hasattr(user(signer, is_superuser=True), "is_superuser")

    def test_cannot_be_changed(self, signer: Signer) -> None:
        with pytest.raises(AttributeError):
            user(signer).token = None  # type: ignore[assignment, misc]

    def test_is_the_same_as_another_of_the_same_token(self, signer: Signer) -> None:
        token = verifier.verify(signer.token())

        assert CognitoUser(token) == CognitoUser(token)

    def test_has_no_rights(self) -> None:
        public = {name for name in dir(CognitoUser) if not name.startswith("_")} - {"token"}

        assert not [name for name in public if not hasattr(Anonymous(), name)]
