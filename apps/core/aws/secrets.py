"""
Secrets, read from Secrets Manager at their first use.

The cache is short, so that a rotation needs no deployment. If Secrets Manager cannot be reached, the last
value is used, because all sign-ins need it.
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
FORCED_REFRESH_SECONDS = 10


class SecretError(UpstreamError):
    """The secret is not a JSON object with the expected keys. Only its owners can correct it."""

    code = "secret_unusable"
    message = "This service is not set up completely. Tell its operators."


def value(name: str, key: str, *, force_refresh: bool = False) -> str:
    """
    Return one key of a secret that holds a JSON object.

    :param force_refresh: read the secret again, because the cached value does not fit (a rotation)
    :raises UnavailableError: if the secret cannot be read and no value is cached
    :raises SecretError: if the secret has no such key
    """
    return values(name, key, force_refresh=force_refresh)[0]


def values(name: str, *keys: str, force_refresh: bool = False) -> tuple[str, ...]:
    """Return several keys of one version of a secret. Parameters and errors are those of `value`."""
    cached = _cache(name)
    content = cached.refresh(name, interval=FORCED_REFRESH_SECONDS) if force_refresh else cached.get(name)
    texts = tuple(content.get(key, "") for key in keys)
    if not all(texts):
        raise SecretError
    return texts


def forget() -> None:
    """Drop all cached secrets (SnapStart's restore, tests)."""
    _cache.cache_clear()


@cache
def _cache(_name: str) -> RefreshingCache[str, Mapping[str, str]]:
    """
    Return the cache of one secret. Each has its own, so that a failure delays only one of them.

    Without a value every caller reads the secret, because the roll-back of a change cannot wait.
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
    """Return the members of a secret that are strings."""
    with translate_errors(ResourceNotFoundException=SecretError, InternalServiceError=UnavailableError):
        text = clients.secrets_manager().get_secret_value(SecretId=name).get("SecretString", "")
    try:
        members = msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, TypeError, RecursionError) as error:
        raise SecretError from error
    return {name: member for name, member in members.items() if isinstance(member, str)}
