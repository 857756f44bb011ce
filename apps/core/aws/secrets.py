"""
Secrets, read from Secrets Manager when first needed.

Kept for a short while, so that rotating one needs no deployment; and kept for longer when
Secrets Manager is away, since what was true a minute ago is better than no sign-ins at all.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

import msgspec

from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.core.errors import UnavailableError, UpstreamError

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

FRESH_SECONDS = 300
# Minimum interval between attempts after a failure, so that not every request waits for an outage.
RETRY_SECONDS = 30
# Minimum interval between forced refreshes.
DOUBT_SECONDS = 10


class SecretError(UpstreamError):
    """The secret does not have the expected content. Only its owners can correct that."""

    code = "secret_unusable"
    message = "This service is not set up completely. Tell its operators."


@dataclass(slots=True)
class _Cached:
    values: Mapping[str, Any]
    ask_at: float
    doubt_at: float  # when the next doubt is listened to


_cache: dict[str, _Cached] = {}
_lock = Lock()


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
    content = _values(name, doubted=doubted)
    texts = [text for key in keys if isinstance(text := content.get(key), str) and text]
    if len(texts) != len(keys):
        raise SecretError
    return tuple(texts)


def forget() -> None:
    """Drop what is cached (a restored snapshot, tests)."""
    _cache.clear()


def _values(name: str, *, doubted: bool) -> Mapping[str, Any]:
    with _lock:  # one reader at a time: the others find what it read
        cached, now = _cache.get(name), time.monotonic()
        if cached and now < _next_question(cached, doubted=doubted):
            return cached.values
        try:
            cached = _cache[name] = _Cached(
                _read(name), ask_at=now + FRESH_SECONDS, doubt_at=now + DOUBT_SECONDS if doubted else now
            )
        except UpstreamError as error:
            if cached is None:
                raise
            logger.warning("secret_stale", extra={"secret": name, "cause": repr(error.__cause__)})
            cached.ask_at = cached.doubt_at = now + RETRY_SECONDS
        return cached.values


def _next_question(cached: _Cached, *, doubted: bool) -> float:
    return min(cached.ask_at, cached.doubt_at) if doubted else cached.ask_at


def _read(name: str) -> Mapping[str, Any]:
    with translate_errors(ResourceNotFoundException=SecretError, InternalServiceError=UnavailableError):
        text = clients.secrets_manager().get_secret_value(SecretId=name).get("SecretString", "")
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, TypeError, RecursionError) as error:
        raise SecretError from error
