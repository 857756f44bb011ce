"""
From a token's text to who is calling: every rule that an ID token of our pool must obey.

RFC 7515 (JWS), 7519 (JWT), 8725 (best current practice); Amazon's "Verifying JSON web tokens".
The order matters: what is cheap and needs no trust first, then the signature, and only what is
signed is ever parsed as claims.
"""

from __future__ import annotations

from functools import lru_cache
from time import time
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import orjson

from apps.auth import base64url, keys
from apps.auth.reasons import (
    AudienceWrongError,
    ClaimsInvalidError,
    IssuerWrongError,
    KeysUnavailableError,
    KeyUnknownError,
    SignatureInvalidError,
    TokenError,
    TokenExpiredError,
    TokenMalformedError,
    TokenNotYetValidError,
    UseWrongError,
)
from apps.core import claims as hasura

if TYPE_CHECKING:
    from apps.auth.keys import Pool

__all__ = ["IdToken", "KeysUnavailableError", "TokenError", "verify"]

MAX_TOKEN = 8 * 1024
MAX_HEADER = 1024
MAX_NESTING = 32  # genuine claims lie far below, every renderer's own limit far above
CLOCK_SKEW_SECONDS = 30
REMEMBERED_TOKENS = 1024
REMEMBERED_HEADERS = 64

# Up to the end of the year 9999, so that whoever makes a date of it can.
Instant = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]


class IdToken(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A verified token. Nothing in it can be changed: requests share it."""

    sub: str
    email: str
    email_verified: bool
    username: str
    groups: tuple[str, ...]
    claims: hasura.HasuraClaims
    client_id: str
    exp: int
    iat: int
    auth_time: int
    nonce: str
    document: bytes

    @property
    def payload(self) -> dict[str, Any]:
        """
        Return a fresh copy of the whole payload, the Hasura claim left as it came.

        :raises ClaimsInvalidError: if claims that nobody asked about nest deeper than anyone reads
        """
        return _payload(self.document)

    def __repr__(self) -> str:
        # A token that strays into a log says whose it is and no more.
        return f"<ID token of {self.sub}>"


class _Addressee(msgspec.Struct):
    """Whose the token is and for what: looked at first, whatever else may be wrong with it."""

    iss: Any = None
    token_use: Any = None
    aud: Any = None


class _Claims(_Addressee, kw_only=True, gc=False):
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


class _HasuraObject(msgspec.Struct):
    text: msgspec.Raw = msgspec.field(name=hasura.CLAIMS_NAMESPACE)


_addressee_decoder = msgspec.json.Decoder(_Addressee)
_claims_decoder = msgspec.json.Decoder(_Claims)
_hasura_object_decoder = msgspec.json.Decoder(_HasuraObject)
_object_decoder = msgspec.json.Decoder(dict[str, Any])


def verify(token: str) -> IdToken:
    """
    Return the verified token.

    One that was verified before costs a look-up, until it expires or the keys change.

    :raises TokenError: with the reason, if any rule is broken
    :raises KeysUnavailableError: if no key of the pool is known
    """
    try:
        verified = _verified(token, keys.current())
    except KeyUnknownError:
        # The keys may be new to us, or this one new to the pool.
        verified = _verified(token, keys.looking_for(_kid(token.partition(".")[0])))
    if verified.exp <= time():
        raise TokenExpiredError
    return verified


@lru_cache(REMEMBERED_TOKENS)
def _verified(token: str, pool: Pool) -> IdToken:
    """Verify in full; a failure is never remembered, so junk drives no genuine token out."""
    message, header, payload, signature = _parts(token)
    key = pool.keys.get(_kid(header))
    if key is None:
        raise KeyUnknownError
    if not key.verifies(message, signature):
        raise SignatureInvalidError
    return _id_token(payload, pool)


def _parts(token: str) -> tuple[bytes, str, bytes, bytes]:
    """Take a compact JWS apart: what is signed, the header as it stands, payload and signature."""
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
def _kid(header: str) -> str:
    """
    Return the id of the signing key; every token that it signed has this very header.

    `jku`, `jwk`, `x5u` and `x5c` are another's opinion on which key to trust: nobody reads them.
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


def _id_token(document: bytes, pool: Pool) -> IdToken:
    claims = _claims(document, pool)
    _check_addressee(claims, pool)
    now = time()
    if claims.exp <= now:
        raise TokenExpiredError
    if claims.iat > now + CLOCK_SKEW_SECONDS or claims.nbf > now + CLOCK_SKEW_SECONDS:
        raise TokenNotYetValidError
    return IdToken(
        sub=claims.sub,
        email=claims.email,
        email_verified=claims.email_verified in {True, "true"},
        username=claims.username,
        groups=claims.groups,
        claims=_hasura_claims(claims.hasura, document),
        client_id=claims.aud,
        exp=claims.exp,
        iat=claims.iat,
        auth_time=claims.auth_time,
        nonce=claims.nonce,
        document=document,
    )


def _claims(document: bytes, pool: Pool) -> _Claims:
    try:
        document.decode()  # msgspec looks at the UTF-8 of those members only that it keeps
        return _claims_decoder.decode(document)
    except (ValueError, RecursionError) as error:
        _check_addressee(_addressee(document), pool)
        raise ClaimsInvalidError from error


def _addressee(document: bytes) -> _Addressee:
    try:
        return _addressee_decoder.decode(document)
    except (ValueError, RecursionError) as error:
        raise ClaimsInvalidError from error


def _check_addressee(claims: _Addressee, pool: Pool) -> None:
    if claims.iss != pool.issuer:
        raise IssuerWrongError
    if claims.token_use != "id":  # noqa: S105 (a word of Cognito)
        raise UseWrongError
    if claims.aud not in pool.client_ids:
        raise AudienceWrongError


def _hasura_claims(claim: object, document: bytes) -> hasura.HasuraClaims:
    """Read the claim as Cognito's first trigger version writes it, a string, or its second, an object."""
    if claim is msgspec.UNSET:
        return hasura.NO_CLAIMS
    try:
        if isinstance(claim, str):
            return hasura.parse(claim)
        return hasura.parse(bytes(_hasura_object_decoder.decode(document).text).decode())
    except (ValueError, RecursionError) as error:
        raise ClaimsInvalidError from error


def _payload(document: bytes) -> dict[str, Any]:
    try:
        payload = orjson.loads(document)
    except ValueError as error:
        raise ClaimsInvalidError from error
    # Counting is quick and never too low; brackets within strings are told apart only then.
    if document.count(b"[") + document.count(b"{") > MAX_NESTING and _nests(payload, MAX_NESTING):
        raise ClaimsInvalidError
    return payload  # type: ignore[no-any-return]


def _nests(value: object, deeper_than: int) -> bool:
    if not isinstance(value, (dict, list)):
        return False
    children = value.values() if isinstance(value, dict) else value
    return deeper_than == 0 or any(_nests(child, deeper_than - 1) for child in children)
