import pytest

from apps.claims import identity


class TestNormalize:
    @pytest.mark.parametrize(
        ("address", "normalized"),
        [
            ("Jane.DOE@AustinTexas.Gov", "jane.doe@austintexas.gov"),
            # Letters that str.lower would change, some of them to ASCII.
            *((letter, letter) for letter in ("\u212a", "\u0130", "\u017f", "\u00c9", "\uff21")),
        ],
    )
    def test_lower_cases_ascii_letters_only(self, address: str, normalized: str) -> None:
        assert identity.normalize(address) == normalized


class TestIsCityAddress:
    @pytest.mark.parametrize(
        ("address", "is_city"),
        [
            ("jane@austintexas.gov", True),
            ("JANE@AUSTINTEXAS.GOV", True),
            ("", False),
            ("austintexas.gov", False),
            ("jane@gmail.com", False),
            ("jane@parks.austintexas.gov", False),
            ("jane@notaustintexas.gov", False),
            ("jane@austintexas.gov.example", False),
            ("jane@au\u017ftintexas.gov", False),
            ("jane@austintexas.gov\u3000", False),
        ],
    )
    def test_accepts_the_citys_own_domain_only(self, address: str, *, is_city: bool) -> None:
        assert identity.is_city_address(address) == is_city


class TestSsoAddress:
    @pytest.mark.parametrize(
        ("username", "address"),
        [
            ("azuread_Jane@AustinTexas.gov", "jane@austintexas.gov"),
            ("AzureAD_JANE@AUSTINTEXAS.GOV", "jane@austintexas.gov"),
            (identity.sso_username("Jane@austintexas.gov"), "jane@austintexas.gov"),
            ("", ""),
            ("jane@austintexas.gov", ""),
            ("google_jane@austintexas.gov", ""),
            ("11111111-1111-4111-8111-111111111111", ""),
        ],
    )
    def test_is_in_the_name_of_a_single_sign_on_account(self, username: str, address: str) -> None:
        assert identity.sso_address(username) == address
