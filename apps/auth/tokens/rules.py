"""
What an ID token of our pool must obey, one rule at a time.

RFC 7515 (JWS), 7519 (JWT), 8725 (best current practice); Amazon's "Verifying JSON web tokens".
apps.auth.tokens.verifier puts the rules in order, apps.auth.tokens.explain says them in words.
"""

from __future__ import annotations

from functools import lru_cache
from time import time
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from apps.auth.tokens import base64url
from apps.auth.tokens.errors import (
    AudienceWrongError,
    ClaimsInvalidError,
    IssuerWrongError,
    TokenExpiredError,
    TokenMalformedError,
    TokenNotYetValidError,
    WrongTokenUseError,
)
from apps.claims import hasura

if TYPE_CHECKING:
    from apps.auth.tokens.keys import TrustedKeys

MAX_TOKEN = 8 * 1024
MAX_HEADER = 1024
MAX_NESTING = 32  # genuine claims lie far below, every renderer's own limit far above
CLOCK_SKEW_SECONDS = 30
REMEMBERED_HEADERS = 64

# At most 9999-12-31, the last value that `datetime` can represent.
Instant = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]


class IntendedUse(msgspec.Struct):
    """Whose the token is and for what: looked at first, whatever else may be wrong with it."""

    iss: Any = None
    token_use: Any = None
    aud: Any = None


class Claims(IntendedUse, kw_only=True, gc=False):
    """The claims that we use; their types are the check."""

    sub: str
    email: str
    exp: Instant
    iat: Instant
    auth_time: Instant
    username: str = msgspec.field(name="cognito:username")
    nbf: Instant = 0
    email_verified: bool | Literal["true", "false"] = False
    groups: tuple[str, ...] = msgspec.field(name="cognito:groups", default=())
    nonce: str = ""
    hasura: str | dict[str, Any] | msgspec.UnsetType = msgspec.field(
        name=hasura.CLAIMS_NAMESPACE, default=msgspec.UNSET
    )

    @property
    def begins(self) -> int:
        """Return when the token becomes valid, in Unix time."""
        return max(self.iat, self.nbf)

    @property
    def has_verified_email(self) -> bool:
        """Return whether the pool says that the address is verified; some triggers write it as text."""
        return self.email_verified in {True, "true"}


class _HasuraObject(msgspec.Struct):
    text: msgspec.Raw = msgspec.field(name=hasura.CLAIMS_NAMESPACE)


_addressee_decoder = msgspec.json.Decoder(IntendedUse)
_claims_decoder = msgspec.json.Decoder(Claims)
_hasura_object_decoder = msgspec.json.Decoder(_HasuraObject)
_object_decoder = msgspec.json.Decoder(dict[str, Any])


def split_jws(token: str) -> tuple[bytes, str, bytes, bytes]:
    """
    Take a compact JWS apart: what is signed, the header as it stands, payload and signature.

    :raises TokenMalformedError: unless it is three parts of base64url, of a bounded size
    """
    if len(token) > MAX_TOKEN:
        raise TokenMalformedError
    try:
        message, _, signature = token.encode("ascii").rpartition(b".")
        _, dot, payload = message.partition(b".")
        if not dot:
            raise TokenMalformedError
        return message, token.partition(".")[0], base64url.decode(payload), base64url.decode(signature)
    except ValueError as error:
        raise TokenMalformedError from error


@lru_cache(REMEMBERED_HEADERS)
def parse_kid(header: str) -> str:
    """
    Return the id of the signing key; every token that it signed has this very header.

    `jku`, `jwk`, `x5u` and `x5c` come from the sender of the token, so they are ignored.

    :raises TokenMalformedError: unless the header is one that Cognito would write
    """
    try:
        text = _text_of_header(header)
        members = _object_decoder.decode(text)
        hasura.refuse_duplicates(text)
    except (ValueError, RecursionError) as error:
        raise TokenMalformedError from error
    kid = members.get("kid")
    if members.get("alg") != "RS256" or not isinstance(kid, str) or "crit" in members:
        raise TokenMalformedError
    return kid


def _text_of_header(header: str) -> str:
    if len(header) > MAX_HEADER:
        raise ValueError("header too long")
    return base64url.decode(header.encode("ascii")).decode()


def decode_claims(document: bytes) -> Claims:
    """
    Read a payload, which must have been signed.

    :raises ClaimsInvalidError: unless it is a JSON object with all the claims that we use
    """
    try:
        document.decode()  # msgspec looks at the UTF-8 of those members only that it keeps
        return _claims_decoder.decode(document)
    except (ValueError, RecursionError) as error:
        raise ClaimsInvalidError from error


def decode_intended_use(document: bytes) -> IntendedUse:
    """
    Read only for whom the token is, of a payload whose claims cannot be read.

    :raises ClaimsInvalidError: if not even that can be read
    """
    try:
        return _addressee_decoder.decode(document)
    except (ValueError, RecursionError) as error:
        raise ClaimsInvalidError from error


def check_intended_use(claims: IntendedUse, pool: TrustedKeys) -> None:
    """
    Refuse what is not this pool's, not an ID token, or not for one of our applications.

    :raises IssuerWrongError:
    :raises WrongTokenUseError:
    :raises AudienceWrongError:
    """
    check_issuer(claims, pool)
    check_use(claims)
    check_audience(claims, pool)


def check_issuer(claims: IntendedUse, pool: TrustedKeys) -> None:
    """Refuse a token of another pool: IssuerWrongError."""
    if claims.iss != pool.issuer:
        raise IssuerWrongError


def check_use(claims: IntendedUse) -> None:
    """Refuse a token that is no ID token: WrongTokenUseError."""
    if claims.token_use != "id":  # noqa: S105 (a word of Cognito)
        raise WrongTokenUseError


def check_audience(claims: IntendedUse, pool: TrustedKeys) -> None:
    """Refuse a token for another application: AudienceWrongError."""
    if claims.aud not in pool.client_ids:
        raise AudienceWrongError


def check_times(claims: Claims) -> None:
    """
    Refuse a token that has expired or is not valid yet.

    :raises TokenExpiredError:
    :raises TokenNotYetValidError:
    """
    now = time()
    check_expiry(claims, now)
    check_beginning(claims, now)


def check_expiry(claims: Claims, now: float) -> None:
    """Refuse a token that has expired: TokenExpiredError."""
    if claims.exp <= now:
        raise TokenExpiredError


def check_beginning(claims: Claims, now: float) -> None:
    """Refuse a token of the future, beyond what clocks may differ: TokenNotYetValidError."""
    if claims.begins > now + CLOCK_SKEW_SECONDS:
        raise TokenNotYetValidError


def hasura_claims(claim: object, document: bytes) -> hasura.HasuraClaims:
    """
    Read the claim as Cognito's first trigger version writes it, a string, or its second, an object.

    :raises ClaimsInvalidError: if it is there and broken
    """
    if claim is msgspec.UNSET:
        return hasura.NO_CLAIMS
    try:
        if isinstance(claim, str):
            return hasura.parse(claim)
        return hasura.parse(bytes(_hasura_object_decoder.decode(document).text).decode())
    except (ValueError, RecursionError) as error:
        raise ClaimsInvalidError from error


def decode_payload(document: bytes) -> dict[str, Any]:
    """
    Return the whole payload, for showing it.

    :raises ClaimsInvalidError: if other claims nest too deeply to be shown
    """
    try:
        payload = _object_decoder.decode(document)
    except (ValueError, RecursionError) as error:
        raise ClaimsInvalidError from error
    # Counting brackets gives an upper bound; the value is walked only if the bound is exceeded.
    if document.count(b"[") + document.count(b"{") > MAX_NESTING and _nests(payload, MAX_NESTING):
        raise ClaimsInvalidError
    return payload


def _nests(value: object, deeper_than: int) -> bool:
    if not isinstance(value, (dict, list)):
        return False
    children = value.values() if isinstance(value, dict) else value
    return deeper_than == 0 or any(_nests(child, deeper_than - 1) for child in children)
