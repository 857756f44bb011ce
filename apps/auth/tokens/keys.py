"""
The pool's keys: fetched when first needed, renewed every hour, withdrawn when the pool withdraws them.

If the key server fails, cached keys stay usable. Without any keys, requests wait together for the
first fetch. After a failed fetch at most one request waits for the next, the others answer 503 at once.
"""

import logging
from dataclasses import dataclass

from django.conf import settings

from apps.auth.tokens import jwks
from apps.auth.tokens.errors import KeysUnavailableError
from apps.auth.tokens.jwks import FetchError, PublicKey
from apps.core.cache import NotLoadedError, RefreshingCache

logger = logging.getLogger(__name__)

FRESH_SECONDS = 60 * 60  # the longest that a withdrawn key lives
USABLE_SECONDS = 24 * 60 * 60  # while the key server cannot be reached
# Between the beginnings of two fetches:
PAUSE_WITHOUT_KEYS = float(KeysUnavailableError.retry_after)
PAUSE_UNKNOWN_KID = 10.0
PAUSE_AFTER_FAILURE = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class TrustedKeys:
    """
    What a token is verified against: issuer, client ids and the current keys.

    Compared by identity: a verified token is cached together with the pool that verified it, and is dropped
    with it.
    """

    issuer: str
    client_ids: tuple[str, ...]
    keys: dict[str, PublicKey]


UNKNOWN = TrustedKeys("", (), {})


def current() -> TrustedKeys:
    """Return the pool with its keys as far as they are known, renewed every hour."""
    return _cache.get_known(None) or UNKNOWN


def refresh() -> TrustedKeys:
    """
    Return the pool after another look, for a key that is not among the known ones.

    :raises KeysUnavailableError: if no keys are known
    """
    pool = _cache.peek(None) or UNKNOWN
    try:
        pool = _cache.refresh(None, interval=PAUSE_UNKNOWN_KID if pool.keys else PAUSE_WITHOUT_KEYS)
    except (FetchError, NotLoadedError) as error:
        raise KeysUnavailableError from error
    if not pool.keys:
        raise KeysUnavailableError
    return pool


def reset() -> None:
    """Forget all keys, and with them every verified token (SnapStart's restore, tests)."""
    _cache.clear()


def probe() -> None:
    """
    Return if the pool's keys are known, fetching them if they were never needed yet.

    :raises KeysUnavailableError: if not
    """
    if not current().keys:
        refresh()


def _load(_pool: None) -> TrustedKeys:
    pool = _cache.peek(None) or UNKNOWN
    try:
        keys = jwks.fetch(settings.COGNITO_JWKS_URL)
    except FetchError as error:
        logger.warning("key_set_not_fetched", extra={"reason": str(error), "keys": len(pool.keys)})
        raise
    if keys == pool.keys:
        return pool  # the same object: verified tokens stay cached
    logger.info("key_set_changed", extra={"kids": sorted(keys), "kids_before": sorted(pool.keys)})
    return TrustedKeys(settings.COGNITO_ISSUER, settings.COGNITO_CLIENT_IDS, keys)


_cache: RefreshingCache[None, TrustedKeys] = RefreshingCache(
    _load,
    FRESH_SECONDS,
    max_age=USABLE_SECONDS,
    pause=PAUSE_AFTER_FAILURE,
    serve_stale=True,
    failures=(FetchError,),
)
