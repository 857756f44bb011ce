"""The caller of a request, for views and permissions."""

from dataclasses import dataclass
from typing import Any

import msgspec

from apps.auth.tokens.errors import ClaimsInvalidError
from apps.claims.hasura import NO_CLAIMS, HasuraClaims
from apps.claims.identity import is_city_address, is_city_sso

MAX_BRACKETS = 256  # genuine claims have far fewer, and renderers can nest far more


class CognitoUser(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """
    The caller that a verified token names. It is immutable, because requests share it.

    simplejwt's own `TokenUser` reads `is_superuser` from a claim and returns None for a misspelt attribute.
    """

    is_authenticated = True
    is_anonymous = False
    is_active = True

    sub: str
    """The id of the account, which Cognito never reuses."""
    email: str
    """The address as the token spells it."""
    email_verified: bool
    username: str
    """Cognito's user name. With single sign-on it is not the id of a Moped user."""
    claims: HasuraClaims
    exp: int
    """When the token expires, in Unix time."""
    nonce: str
    document: bytes
    """The payload of the token."""

    @property
    def pk(self) -> str:
        """Return the id under the name that DRF's throttles use."""
        return self.sub

    @property
    def roles(self) -> tuple[str, ...]:
        """Return the roles that the token grants."""
        return self.claims.allowed_roles

    @property
    def is_verified(self) -> bool:
        """Return whether the address is proven: by Cognito, or by the City's single sign-on."""
        return self.email_verified or is_city_sso(self.username)

    @property
    def has_city_address(self) -> bool:
        """Return whether the token's address is in the City's domain."""
        return is_city_address(self.email)

    @property
    def payload(self) -> dict[str, Any]:
        """
        Return a new copy of the whole payload. The Hasura claim is unchanged.

        :raises ClaimsInvalidError: if other claims nest too deeply to be shown, or cannot be represented
        """
        if self.document.count(b"[") + self.document.count(b"{") > MAX_BRACKETS:
            raise ClaimsInvalidError
        try:
            return msgspec.json.decode(self.document, type=dict[str, Any])
        except ValueError as error:  # a number too large for a float
            raise ClaimsInvalidError from error

    def __repr__(self) -> str:
        # A caller may get into a log line, which must show only the id.
        return f"<CognitoUser {self.sub}>"


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
