"""
Verifies ID tokens of our pool.

The rules are from RFC 7515 (JWS), 7519 (JWT), 8725 (best current practice) and Amazon's "Verifying JSON web
tokens". Their order matters: cheap rules first, then the signature. Claims are parsed only after it.
"""

from functools import lru_cache
from time import time
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from apps.auth.callers import CognitoUser
from apps.auth.tokens import base64url, errors, key_cache
from apps.auth.tokens.key_cache import TrustedKeys
from apps.claims import hasura

T = TypeVar("T")

MAX_TOKEN = 8 * 1024
MAX_HEADER = 1024
CLOCK_SKEW_SECONDS = 30
CACHED_TOKENS = 1024
CACHED_HEADERS = 64

LAST_INSTANT = 253_402_300_799  # 9999-12-31, the last day that `datetime` can represent
Instant = Annotated[int, msgspec.Meta(ge=0, le=LAST_INSTANT)]


class IntendedUse(msgspec.Struct):
    """The issuer, use and audience of a token. They are checked even if other claims are missing."""

    iss: Any = None
    token_use: Any = None
    aud: Any = None


class Claims(IntendedUse, kw_only=True, gc=False):
    """The claims that we use. Decoding checks their types."""

    sub: str
    email: str
    exp: Instant
    iat: Instant
    auth_time: Instant
    username: str = msgspec.field(name="cognito:username")
    nbf: Instant = 0
    email_verified: bool | Literal["true", "false"] = False  # some triggers write it as text
    groups: tuple[str, ...] = msgspec.field(name="cognito:groups", default=())
    nonce: str = ""
    hasura_json: msgspec.Raw = msgspec.field(name=hasura.CLAIMS_NAMESPACE, default=msgspec.Raw())


_claims_decoder = msgspec.json.Decoder(Claims)
_intended_use_decoder = msgspec.json.Decoder(IntendedUse)
_header_decoder = msgspec.json.Decoder(dict[str, Any])
_text_decoder = msgspec.json.Decoder(str)


def verify(token: str) -> CognitoUser:
    """
    Return the caller that a valid token names.

    A token that was verified before is only looked up, until it expires or the keys change.

    :raises TokenError: with the reason, if any rule is broken
    :raises KeysUnavailableError: if no key of the pool is known
    """
    try:
        caller = _verify_in_full(token, key_cache.current())
    except errors.KeyUnknownError:
        # No keys may be fetched yet, or the pool may have a new key.
        caller = _verify_in_full(token, key_cache.refresh())
    if caller.exp <= time():
        raise errors.TokenExpiredError
    return caller


@lru_cache(CACHED_TOKENS)
def _verify_in_full(token: str, trusted: TrustedKeys) -> CognitoUser:
    """Verify a token without the cache. Failures are not cached, so they evict no valid token."""
    message, header, payload, signature = split_jws(token)
    key = trusted.keys.get(parse_kid(header))
    if key is None:
        raise errors.KeyUnknownError
    if not key.verifies(message, signature):
        raise errors.SignatureInvalidError
    return _parse_caller(payload, trusted)


def split_jws(token: str) -> tuple[bytes, bytes, bytes, bytes]:
    """
    Split a compact JWS into the signed message, the encoded header, the payload and the signature.

    :raises TokenMalformedError: if it is not three parts of base64url, or too large
    """
    if len(token) > MAX_TOKEN:
        raise errors.TokenMalformedError
    try:
        message, _, signature = token.encode("ascii").rpartition(b".")
        header, dot, payload = message.partition(b".")
        if not dot:
            raise errors.TokenMalformedError
        return message, header, base64url.decode(payload), base64url.decode(signature)
    except ValueError as error:
        raise errors.TokenMalformedError from error


@lru_cache(CACHED_HEADERS)
def parse_kid(header: bytes) -> str:
    """
    Return the id of the signing key. All tokens of one key have the same header.

    `jku`, `jwk`, `x5u` and `x5c` come from the sender of the token, so they are ignored.

    :raises TokenMalformedError: if Cognito would not write such a header
    """
    if len(header) > MAX_HEADER:
        raise errors.TokenMalformedError
    try:
        text = base64url.decode(header).decode()
        members = _header_decoder.decode(text)
        hasura.refuse_duplicates(text)
    except (ValueError, RecursionError) as error:
        raise errors.TokenMalformedError from error
    kid = members.get("kid")
    if members.get("alg") != "RS256" or not isinstance(kid, str) or "crit" in members:
        raise errors.TokenMalformedError
    return kid


def _parse_caller(document: bytes, trusted: TrustedKeys) -> CognitoUser:
    try:
        claims = _decode(document, _claims_decoder)
    except errors.ClaimsInvalidError:
        # Report a wrong issuer, use or audience rather than missing claims: an access token has no e-mail.
        _check_use(_decode(document, _intended_use_decoder), trusted)
        raise
    _check_use(claims, trusted)
    _check_times(claims, time())
    return CognitoUser(
        sub=claims.sub,
        email=claims.email,
        email_verified=claims.email_verified in {True, "true"},
        username=claims.username,
        claims=_hasura_claims(bytes(claims.hasura_json)),
        exp=claims.exp,
        nonce=claims.nonce,
        document=document,
    )


def _decode(payload: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        # msgspec itself checks the UTF-8 only of the members that it keeps.
        return decoder.decode(payload.decode())
    except (ValueError, RecursionError) as error:
        raise errors.ClaimsInvalidError from error


def _check_use(claims: IntendedUse, trusted: TrustedKeys) -> None:
    """Refuse a token that is not this pool's ID token for one of our applications."""
    if claims.iss != trusted.issuer:
        raise errors.IssuerWrongError
    if claims.token_use != "id":  # noqa: S105 (a word of Cognito)
        raise errors.WrongTokenUseError
    if claims.aud not in trusted.client_ids:
        raise errors.AudienceWrongError


def _check_times(claims: Claims, now: float) -> None:
    """Refuse a token that is not valid now. Its start may be CLOCK_SKEW_SECONDS ahead of our clock."""
    if claims.exp <= now:
        raise errors.TokenExpiredError
    if max(claims.iat, claims.nbf) > now + CLOCK_SKEW_SECONDS:
        raise errors.TokenNotYetValidError


def _hasura_claims(claim: bytes) -> hasura.HasuraClaims:
    """Parse the claim: a string from version 1 of Cognito's trigger, an object from version 2."""
    if not claim:
        return hasura.NO_CLAIMS
    try:
        return hasura.parse(_text_decoder.decode(claim) if claim.startswith(b'"') else claim.decode())
    except (ValueError, RecursionError) as error:
        raise errors.ClaimsInvalidError from error
