from __future__ import annotations

import pytest

from apps.claims import identity


class TestNormalize:
    def test_lower_cases_ascii_letters(self) -> None:
        assert identity.normalize("Jane.DOE@AustinTexas.Gov") == "jane.doe@austintexas.gov"

    @pytest.mark.parametrize("letter", ["\u212a", "\u0130", "\u017f", "\u00c9", "\uff21"])
    def test_keeps_every_other_letter(self, letter: str) -> None:
        assert identity.normalize(letter) == letter


class TestIsCityAddress:
    @pytest.mark.parametrize("address", ["jane@austintexas.gov", "JANE@AUSTINTEXAS.GOV"])
    def test_accepts_the_citys_domain_in_any_case(self, address: str) -> None:
        assert identity.is_city_address(address)

    @pytest.mark.parametrize(
        "address",
        [
            "",
            "austintexas.gov",
            "jane@gmail.com",
            "jane@parks.austintexas.gov",
            "jane@notaustintexas.gov",
            "jane@austintexas.gov.example",
            "jane@au\u017ftintexas.gov",
            "jane@austintexas.gov\u3000",
        ],
    )
    def test_refuses_other_domains(self, address: str) -> None:
        assert not identity.is_city_address(address)


class TestSsoAddress:
    @pytest.mark.parametrize(
        "username",
        ["azuread_jane@austintexas.gov", "azuread_Jane@AustinTexas.gov", "AzureAD_JANE@AUSTINTEXAS.GOV"],
    )
    def test_returns_the_address_in_lower_case(self, username: str) -> None:
        assert identity.sso_address(username) == "jane@austintexas.gov"

    @pytest.mark.parametrize(
        "username",
        ["", "jane@austintexas.gov", "google_jane@austintexas.gov", "11111111-1111-4111-8111-111111111111"],
    )
    def test_returns_nothing_for_other_accounts(self, username: str) -> None:
        assert identity.sso_address(username) == ""

    def test_reverses_sso_username(self) -> None:
        assert identity.sso_address(identity.sso_username("Jane@austintexas.gov")) == "jane@austintexas.gov"


class TestClaimsAddress:
    def test_prefers_the_address_in_a_single_sign_on_name(self) -> None:
        name = "azuread_Jane@austintexas.gov"

        assert identity.claims_address(username=name, email="alias@example.com") == "jane@austintexas.gov"

    def test_is_the_email_of_a_native_account(self) -> None:
        assert identity.claims_address(username="x", email="Jane@Example.com") == "jane@example.com"
