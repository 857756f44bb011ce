"""
From a token's text to a verified token.

The order of the rules matters: cheap rules first, then the signature. Claims are parsed only after it.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain
from time import time
from typing import TYPE_CHECKING, Any

import msgspec

from apps.auth.tokens import keys, rules
from apps.auth.tokens.errors import (
    ClaimsInvalidError,
    KeysUnavailableError,
    KeyUnknownError,
    SignatureInvalidError,
    TokenError,
    TokenExpiredError,
)

if TYPE_CHECKING:
    from apps.auth.tokens.keys import TrustedKeys
    from apps.claims.hasura import HasuraClaims

__all__ = ["IdToken", "KeysUnavailableError", "TokenError", "verify"]

REMEMBERED_TOKENS = 1024


class IdToken(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A verified token. Nothing in it can be changed: requests share it."""

    sub: str
    email: str
    email_verified: bool
    username: str
    groups: tuple[str, ...]
    claims: HasuraClaims
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

        :raises ClaimsInvalidError: if other claims could nest too deeply to be shown
        """
        return rules.decode_members(self.document)

    def __repr__(self) -> str:
        # A token that strays into a log says whose it is and no more.
        return f"<ID token of {self.sub}>"


def verify(token: str) -> IdToken:
    """
    Return the verified token.

    One that was verified before costs a look-up, until it expires or the keys change.

    :raises TokenError: with the reason, if any rule is broken
    :raises KeysUnavailableError: if no key of the pool is known
    """
    try:
        id_token = _verified(token, keys.current())
    except KeyUnknownError:
        # The keys may be new to us, or this one new to the pool.
        id_token = _verified(token, keys.refresh_for_kid(rules.parse_kid(token.partition(".")[0])))
    if id_token.exp <= time():
        raise TokenExpiredError
    return id_token


@lru_cache(REMEMBERED_TOKENS)
def _verified(token: str, pool: TrustedKeys) -> IdToken:
    """Verify in full; failures are not cached, so junk evicts no genuine token."""
    message, header, payload, signature = rules.split_jws(token)
    key = pool.keys.get(rules.parse_kid(header))
    if key is None:
        raise KeyUnknownError
    if not key.verifies(message, signature):
        raise SignatureInvalidError
    return _id_token(payload, pool)


def _id_token(document: bytes, pool: TrustedKeys) -> IdToken:
    claims = _claims(document, pool)
    violations = chain(rules.use_violations(claims, pool), rules.time_violations(claims, time()))
    for violation in violations:
        raise violation
    return IdToken(
        sub=claims.sub,
        email=claims.email,
        email_verified=claims.has_verified_email,
        username=claims.username,
        groups=claims.groups,
        claims=rules.hasura_claims(bytes(claims.hasura_json)),
        client_id=claims.aud,
        exp=claims.exp,
        iat=claims.iat,
        auth_time=claims.auth_time,
        nonce=claims.nonce,
        document=document,
    )


def _claims(document: bytes, pool: TrustedKeys) -> rules.Claims:
    try:
        return rules.decode(document, rules.CLAIMS)
    except ClaimsInvalidError as error:
        # Report a wrong issuer, use or audience rather than missing claims: an access token has no e-mail.
        intended_use = rules.decode(document, rules.INTENDED_USE)
        raise next(rules.use_violations(intended_use, pool), error) from error.__cause__
