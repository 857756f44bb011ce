"""
The pool's keys, fetched at their first use and again every hour.

If the key server fails, cached keys stay usable. Without any keys, all requests wait for the same
fetch. After a failed fetch at most one request waits for the next. The others answer 503 at once.

python-jose's RSA key verifies signatures. Only `PublicKey` uses it, so only that class depends on the
library.
"""

import logging
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, Final, Literal

import msgspec
from django.conf import settings
from jose.backends.cryptography_backend import CryptographyRSAKey

from apps.auth import pool_client
from apps.auth.tokens import base64url
from apps.auth.tokens.errors import KeysUnavailableError
from apps.core import deadline
from apps.core.cache import NotLoadedError, RefreshingCache

logger = logging.getLogger(__name__)

ALGORITHM: Final = "RS256"
MODULUS_BITS = range(2048, 4096 + 1)
PRIVATE_PARTS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth"})

DEADLINE_SECONDS = 2.0  # for a fetch
FRESH_SECONDS = 60 * 60  # the longest use of a key that the pool has withdrawn
USABLE_SECONDS = 24 * 60 * 60  # while the key server cannot be reached
# Seconds between two fetches:
PAUSE_WITHOUT_KEYS = float(KeysUnavailableError.retry_after)
PAUSE_UNKNOWN_KID = 10.0
PAUSE_AFTER_FAILURE = 60.0


class FetchError(Exception):
    """The key set cannot be fetched now. The text gives the reason and may be logged."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An RSA key, built once for all its signatures. Keys with the same modulus are equal."""

    modulus: int
    rsa_key: CryptographyRSAKey = field(compare=False, repr=False)

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Return whether this key signed the message (RSASSA-PKCS1-v1_5 with SHA-256)."""
        return self.rsa_key.verify(message, signature) is True


@dataclass(frozen=True, slots=True, eq=False)
class TrustedKeys:
    """
    The issuer, the client ids and the current keys that tokens are checked against.

    They are compared by identity. A verified token is cached together with its TrustedKeys, so it is
    verified again after the keys change.
    """

    issuer: str
    client_ids: tuple[str, ...]
    keys: dict[str, PublicKey]


NO_KEYS = TrustedKeys("", (), {})


def current() -> TrustedKeys:
    """Return the keys, or NO_KEYS. Fetch them again after an hour."""
    return _cache.get_known(None) or NO_KEYS


def refresh() -> TrustedKeys:
    """
    Fetch the keys again, for a token with an unknown key, and return them.

    :raises KeysUnavailableError: if no keys are known
    """
    trusted = _cache.peek(None) or NO_KEYS
    try:
        trusted = _cache.refresh(None, interval=PAUSE_UNKNOWN_KID if trusted.keys else PAUSE_WITHOUT_KEYS)
    except (FetchError, NotLoadedError) as error:
        raise KeysUnavailableError from error
    if not trusted.keys:
        raise KeysUnavailableError
    return trusted


def reset() -> None:
    """Drop all keys, and with them every verified token (SnapStart's restore, tests)."""
    _cache.clear()


def probe() -> None:
    """
    Check that keys are known, and fetch them if necessary.

    :raises KeysUnavailableError: if they cannot be fetched
    """
    if not current().keys:
        refresh()


def fetch(url: str) -> dict[str, PublicKey]:
    """
    Return the usable keys by their ids. All other keys are skipped (RFC 7517, section 5).

    :raises FetchError: if no key set of at most 64 kB arrives within two seconds
    """
    try:
        with deadline.limit(DEADLINE_SECONDS):
            status, document = pool_client.send(url, timeout=DEADLINE_SECONDS)
    except (deadline.DeadlineError, TimeoutError) as error:
        raise FetchError("no answer in time") from error
    except (OSError, HTTPException, ValueError, RuntimeError) as error:  # RuntimeError: no more threads
        raise FetchError(type(error).__name__) from error
    if status != HTTPStatus.OK:
        raise FetchError(f"it answered {status}")
    try:
        return _parse_keys(msgspec.json.decode(document, type=_Document).keys)
    except (ValueError, RecursionError) as error:
        raise FetchError("the answer is no key set") from error


class _Document(msgspec.Struct):
    keys: list[Any]


class _Jwk(msgspec.Struct):
    """The members of a usable key, without its id."""

    kty: Literal["RSA"]
    n: str
    e: Literal["AQAB"]  # 65537
    use: Literal["sig"] = "sig"
    alg: Literal["RS256"] = ALGORITHM
    key_ops: tuple[str, ...] = ("verify",)


def _parse_keys(entries: list[Any]) -> dict[str, PublicKey]:
    jwks = [jwk for jwk in entries if isinstance(jwk, dict) and isinstance(jwk.get("kid"), str)]
    # An id that occurs twice names no key, even if only one of the two is usable.
    occurrences = Counter(jwk["kid"] for jwk in jwks)
    unique = {jwk["kid"]: _parse_key(jwk) for jwk in jwks if occurrences[jwk["kid"]] == 1}
    return {kid: key for kid, key in unique.items() if key}


def _parse_key(jwk: dict[str, Any]) -> PublicKey | None:
    """Return the key, or None if Cognito would not sign our tokens with it."""
    if PRIVATE_PARTS & jwk.keys():
        return None  # a published private key is compromised
    try:
        public = msgspec.convert(jwk, _Jwk)
        modulus = int.from_bytes(base64url.decode(public.n.encode("ascii")), "big")
        if "verify" not in public.key_ops or modulus.bit_length() not in MODULUS_BITS:
            return None
        rsa_key = CryptographyRSAKey({"kty": public.kty, "n": public.n, "e": public.e}, ALGORITHM)
        return PublicKey(modulus, rsa_key)
    except ValueError:
        return None


def _load(_key: None) -> TrustedKeys:
    trusted = _cache.peek(None) or NO_KEYS
    try:
        keys = fetch(settings.COGNITO_JWKS_URL)
    except FetchError as error:
        logger.warning("key_set_not_fetched", extra={"reason": str(error), "keys": len(trusted.keys)})
        raise
    if keys == trusted.keys:
        return trusted  # the same object: verified tokens stay cached
    logger.info("key_set_changed", extra={"kids": sorted(keys), "kids_before": sorted(trusted.keys)})
    return TrustedKeys(settings.COGNITO_ISSUER, settings.COGNITO_CLIENT_IDS, keys)


_cache: RefreshingCache[None, TrustedKeys] = RefreshingCache(
    _load,
    FRESH_SECONDS,
    max_age=USABLE_SECONDS,
    pause=PAUSE_AFTER_FAILURE,
    serve_stale=True,
    failures=(FetchError,),
)
