"""The caller, as views and permissions see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from apps.claims.hasura import NO_CLAIMS, HasuraClaims
from apps.claims.identity import is_city_address, is_city_sso

if TYPE_CHECKING:
    from apps.auth.tokens.verifier import IdToken


@dataclass(frozen=True, slots=True)
class CognitoUser:
    """
    The caller that a verified token names.

    simplejwt's own `TokenUser` reads `is_superuser` from a claim and answers None for whatever
    is misspelt; this one has the attributes it declares and no others.
    """

    token: IdToken

    is_authenticated = True
    is_anonymous = False
    is_active = True

    @property
    def sub(self) -> str:
        """Return the id that Cognito never reuses for another account."""
        return self.token.sub

    @property
    def pk(self) -> str:
        """Return the same id, under the name that DRF's throttles look for."""
        return self.token.sub

    @property
    def email(self) -> str:
        """Return the address as the token spells it."""
        return self.token.email

    @property
    def username(self) -> str:
        """Return Cognito's username; through single sign-on it is not the id of a Moped user."""
        return self.token.username

    @property
    def claims(self) -> HasuraClaims:
        """Return the normalized Hasura claims."""
        return self.token.claims

    @property
    def roles(self) -> tuple[str, ...]:
        """Return the roles that the token grants."""
        return self.token.claims.allowed_roles

    @property
    def is_verified(self) -> bool:
        """Return whether the address is proven: by Cognito, or by the City's single sign-on."""
        return self.token.email_verified or is_city_sso(self.username)

    @property
    def has_city_address(self) -> bool:
        """Return whether the token's address is in the City's domain."""
        return is_city_address(self.email)

    def __str__(self) -> str:
        return self.email


@dataclass(frozen=True, slots=True)
class Anonymous:
    """A caller without a token, with the same attributes."""

    is_authenticated = False
    is_anonymous = True
    is_active = False
    is_verified = False
    has_city_address = False
    sub = ""
    pk = None
    email = ""
    username = ""
    claims = NO_CLAIMS
    roles = ()
