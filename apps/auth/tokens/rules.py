"""
What an ID token of our pool must obey, one rule at a time.

RFC 7515 (JWS), 7519 (JWT), 8725 (best current practice); Amazon's "Verifying JSON web tokens".
apps.auth.tokens.verifier puts the rules in order, apps.auth.tokens.explain says them in words.
"""

from functools import lru_cache
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from apps.auth.tokens import base64url
from apps.auth.tokens.errors import (
    AudienceWrongError,
    ClaimsInvalidError,
    IssuerWrongError,
    TokenError,
    TokenExpiredError,
    TokenMalformedError,
    TokenNotYetValidError,
    WrongTokenUseError,
)
from apps.auth.tokens.keys import TrustedKeys
from apps.claims import hasura

T = TypeVar("T")

MAX_TOKEN = 8 * 1024
MAX_HEADER = 1024
MAX_BRACKETS = 256  # genuine claims have far fewer, every renderer could nest far more
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
    hasura_json: msgspec.Raw = msgspec.field(name=hasura.CLAIMS_NAMESPACE, default=msgspec.Raw())

    @property
    def has_verified_email(self) -> bool:
        """Return whether the pool says that the address is verified; some triggers write it as text."""
        return self.email_verified in {True, "true"}


CLAIMS = msgspec.json.Decoder(Claims)
INTENDED_USE = msgspec.json.Decoder(IntendedUse)
MEMBERS = msgspec.json.Decoder(dict[str, Any])
TEXT = msgspec.json.Decoder(str)


def split_jws(token: str) -> tuple[bytes, bytes, bytes, bytes]:
    """
    Take a compact JWS apart: what is signed, the header as it stands, payload and signature.

    :raises TokenMalformedError: unless it is three parts of base64url, of a bounded size
    """
    if len(token) > MAX_TOKEN:
        raise TokenMalformedError
    try:
        message, _, signature = token.encode("ascii").rpartition(b".")
        header, dot, payload = message.partition(b".")
        if not dot:
            raise TokenMalformedError
        return message, header, base64url.decode(payload), base64url.decode(signature)
    except ValueError as error:
        raise TokenMalformedError from error


@lru_cache(REMEMBERED_HEADERS)
def parse_kid(header: bytes) -> str:
    """
    Return the id of the signing key; every token that it signed has this very header.

    `jku`, `jwk`, `x5u` and `x5c` come from the sender of the token, so they are ignored.

    :raises TokenMalformedError: unless the header is one that Cognito would write
    """
    if len(header) > MAX_HEADER:
        raise TokenMalformedError
    try:
        text = base64url.decode(header).decode()
        members = MEMBERS.decode(text)
        hasura.refuse_duplicates(text)
    except (ValueError, RecursionError) as error:
        raise TokenMalformedError from error
    kid = members.get("kid")
    if members.get("alg") != "RS256" or not isinstance(kid, str) or "crit" in members:
        raise TokenMalformedError
    return kid


def decode(payload: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """
    Decode a payload. Nothing in it may be used unless it was signed.

    :param decoder: one of CLAIMS, INTENDED_USE and MEMBERS
    :raises ClaimsInvalidError: unless it is a JSON object with these members
    """
    try:
        # msgspec itself checks the UTF-8 of those members only that it keeps.
        return decoder.decode(payload.decode())
    except (ValueError, RecursionError) as error:
        raise ClaimsInvalidError from error


def use_violations(claims: IntendedUse, pool: TrustedKeys) -> list[type[TokenError]]:
    """Return why the token is not this pool's ID token for one of our applications."""
    errors: list[type[TokenError]] = []
    if claims.iss != pool.issuer:
        errors.append(IssuerWrongError)
    if claims.token_use != "id":  # noqa: S105 (a word of Cognito)
        errors.append(WrongTokenUseError)
    if claims.aud not in pool.client_ids:
        errors.append(AudienceWrongError)
    return errors


def time_violations(claims: Claims, now: float) -> list[type[TokenError]]:
    """Return why the token is not valid now. For its beginning, the clocks may differ a little."""
    errors: list[type[TokenError]] = []
    if claims.exp <= now:
        errors.append(TokenExpiredError)
    if claims.iat > now + CLOCK_SKEW_SECONDS or claims.nbf > now + CLOCK_SKEW_SECONDS:
        errors.append(TokenNotYetValidError)
    return errors


def hasura_claims(claim: msgspec.Raw) -> hasura.HasuraClaims:
    """
    Read the claim as Cognito's first trigger version writes it, a string, or its second, an object.

    :raises ClaimsInvalidError: if it is there and broken
    """
    claim_json = bytes(claim)
    if not claim_json:
        return hasura.NO_CLAIMS
    try:
        return hasura.parse(TEXT.decode(claim_json) if claim_json.startswith(b'"') else claim_json.decode())
    except (ValueError, RecursionError) as error:
        raise ClaimsInvalidError from error


def decode_members(payload: bytes) -> dict[str, Any]:
    """
    Return all members of a payload, for showing them.

    :raises ClaimsInvalidError: if they could nest so deeply that a renderer fails
    """
    if payload.count(b"[") + payload.count(b"{") > MAX_BRACKETS:
        raise ClaimsInvalidError
    return decode(payload, MEMBERS)
