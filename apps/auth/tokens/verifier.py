"""
From a token's text to the caller that it names.

The order of the rules matters: cheap rules first, then the signature. Claims are parsed only after it.
"""

from functools import lru_cache
from time import time

from apps.auth.callers import CognitoUser
from apps.auth.tokens import keys, rules
from apps.auth.tokens.errors import (
    ClaimsInvalidError,
    KeysUnavailableError,
    KeyUnknownError,
    SignatureInvalidError,
    TokenError,
    TokenExpiredError,
)
from apps.auth.tokens.keys import TrustedKeys

__all__ = ["KeysUnavailableError", "TokenError", "verify"]

REMEMBERED_TOKENS = 1024


def verify(token: str) -> CognitoUser:
    """
    Return the caller that a valid token names.

    A token that was verified before costs a look-up, until it expires or the keys change.

    :raises TokenError: with the reason, if any rule is broken
    :raises KeysUnavailableError: if no key of the pool is known
    """
    try:
        caller = _verified(token, keys.current())
    except KeyUnknownError:
        # The keys may be new to us, or this one new to the pool.
        caller = _verified(token, keys.refresh_for_kid(rules.parse_kid(rules.split_jws(token)[1])))
    if caller.exp <= time():
        raise TokenExpiredError
    return caller


@lru_cache(REMEMBERED_TOKENS)
def _verified(token: str, pool: TrustedKeys) -> CognitoUser:
    """Verify in full; failures are not cached, so junk evicts no genuine token."""
    message, header, payload, signature = rules.split_jws(token)
    key = pool.keys.get(rules.parse_kid(header))
    if key is None:
        raise KeyUnknownError
    if not key.verifies(message, signature):
        raise SignatureInvalidError
    return _caller(payload, pool)


def _caller(document: bytes, pool: TrustedKeys) -> CognitoUser:
    try:
        claims = rules.decode(document, rules.CLAIMS)
    except ClaimsInvalidError as error:
        # Report a wrong issuer, use or audience rather than missing claims: an access token has no e-mail.
        intended_use = rules.decode(document, rules.INTENDED_USE)
        raise next(iter(rules.use_violations(intended_use, pool)), error) from error.__cause__
    if violations := rules.use_violations(claims, pool) or rules.time_violations(claims, time()):
        raise violations[0]
    return CognitoUser(
        sub=claims.sub,
        email=claims.email,
        email_verified=claims.has_verified_email,
        username=claims.username,
        claims=rules.hasura_claims(claims.hasura_json),
        exp=claims.exp,
        nonce=claims.nonce,
        document=document,
    )
