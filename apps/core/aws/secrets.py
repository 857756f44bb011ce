"""
Secrets, read from Secrets Manager when first needed.

The cache is short, so that a rotation needs no deployment. If Secrets Manager cannot be reached, the last
value is used: without it, no sign-in would succeed.
"""

import logging
import math
from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec

from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.core.cache import RefreshingCache
from apps.core.errors import UnavailableError, UpstreamError

logger = logging.getLogger(__name__)

FRESH_SECONDS = 300
# After a failure the last value is used for this long without another try.
RETRY_SECONDS = 30
# Minimum interval between forced refreshes.
DOUBT_SECONDS = 10


class SecretError(UpstreamError):
    """The secret is not a JSON object with the expected keys; only its owners can correct it."""

    code = "secret_unusable"
    message = "This service is not set up completely. Tell its operators."


def value(name: str, key: str, *, doubted: bool = False) -> str:
    """
    Return one key of a secret that holds a JSON object.

    :param doubted: read it again, because the cached value does not fit (a key was rotated)
    :raises UnavailableError: if it was never read and cannot be now
    :raises SecretError: if it holds no such key
    """
    return values(name, key, doubted=doubted)[0]


def values(name: str, *keys: str, doubted: bool = False) -> tuple[str, ...]:
    """Return several keys of a secret, all of the same reading; otherwise as `value`."""
    cached = _cache(name)
    content = cached.refresh(name, interval=DOUBT_SECONDS) if doubted else cached.get(name)
    texts = tuple(content.get(key, "") for key in keys)
    if not all(texts):
        raise SecretError
    return texts


def forget() -> None:
    """Drop what is cached (a restored snapshot, tests)."""
    _cache.cache_clear()


@cache
def _cache(_name: str) -> RefreshingCache[str, Mapping[str, str]]:
    """
    Return the cache of one secret: the failure of another does not delay it.

    Without a value each caller asks again, because the roll-back of a change needs the key at once.
    """
    return RefreshingCache(_load, FRESH_SECONDS, max_age=math.inf, pause=RETRY_SECONDS, pause_without_value=0)


def _load(name: str) -> Mapping[str, str]:
    try:
        return _read(name)
    except UpstreamError as error:
        if _cache(name).peek(name):
            logger.warning("secret_stale", extra={"secret": name, "cause": repr(error.__cause__)})
        raise


def _read(name: str) -> Mapping[str, str]:
    """Return the texts of a secret, without other members."""
    with translate_errors(ResourceNotFoundException=SecretError, InternalServiceError=UnavailableError):
        text = clients.secrets_manager().get_secret_value(SecretId=name).get("SecretString", "")
    try:
        members = msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, TypeError, RecursionError) as error:
        raise SecretError from error
    return {name: member for name, member in members.items() if isinstance(member, str)}
