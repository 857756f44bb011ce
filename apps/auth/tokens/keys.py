"""
Which keys are the pool's now: fetched when first needed, kept, renewed, withdrawn.

If the key server fails, cached keys stay usable. Without any keys, requests wait together for the
first fetch. After a failed fetch at most one request waits for the next, the others answer 503 at once.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from time import monotonic, time
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver

from apps.auth.tokens import jwks, jwks_client
from apps.auth.tokens.errors import KeysUnavailableError

if TYPE_CHECKING:
    from apps.auth.tokens.jwks import PublicKey

logger = logging.getLogger(__name__)

FRESH_SECONDS = 60 * 60  # then ask again: the longest that a withdrawn key lives
USABLE_SECONDS = 24 * 60 * 60  # while the key server cannot be reached
# Between the beginnings of two fetches:
PAUSE_WITHOUT_KEYS = float(KeysUnavailableError.retry_after)
PAUSE_UNKNOWN_KID = 10.0
PAUSE_AFTER_FAILURE = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class TrustedKeys:
    """
    What a token is checked against: issuer, clients, and the keys of one time.

    Compared by identity: a cached token is cached together with these keys, and only for them.
    """

    issuer: str
    client_ids: tuple[str, ...]
    keys: dict[str, PublicKey]


UNKNOWN = TrustedKeys("", (), {})


class Timestamp(NamedTuple):
    """A time on the wall clock, which can be set back, and the monotonic one, which stops while frozen."""

    wall: float
    running: float

    def age(self) -> float:
        """Return the seconds since then, by the clock on which more of them have passed."""
        return max(time() - self.wall, monotonic() - self.running)


NEVER = Timestamp(float("-inf"), float("-inf"))


class KeyRing:
    """The pool as we know it, and when we may ask for its keys again."""

    def __init__(self) -> None:
        self._asking = threading.Lock()
        self._asked_at = NEVER
        self._has_failed = False
        # Replaced as a whole, never changed: readers take no lock.
        self._held = (UNKNOWN, NEVER)

    def current(self) -> TrustedKeys:
        """Return the pool to go by; one without keys if none are known or the known are too old."""
        pool, (wall, running) = self._held
        if time() - wall < FRESH_SECONDS and monotonic() - running < FRESH_SECONDS:
            return pool
        if self._usable().keys:
            self._ask(PAUSE_AFTER_FAILURE)
        return self._usable()

    def refresh_for_kid(self, kid: str) -> TrustedKeys:
        """
        Return the pool after having looked once more for this key, if it was time to look.

        :raises KeysUnavailableError: if no keys are known
        """
        cached_keys = self._usable().keys
        if kid not in cached_keys:
            self._ask(PAUSE_UNKNOWN_KID if cached_keys else PAUSE_WITHOUT_KEYS)
        pool = self._usable()
        if not pool.keys:
            raise KeysUnavailableError
        return pool

    def _usable(self) -> TrustedKeys:
        pool, fetched_at = self._held
        return pool if fetched_at.age() < USABLE_SECONDS else UNKNOWN

    def _ask(self, pause: float) -> None:
        """Fetch the key set, unless another thread did so a moment ago or is doing it now."""
        # Waiting for the fetching thread helps only without keys, and if it is likely to succeed.
        is_pointless = self._usable().keys or self._has_failed
        patience = 0.0 if is_pointless else jwks_client.DEADLINE_SECONDS + 0.5
        if not self._asking.acquire(timeout=patience):
            return
        try:
            if self._asked_at.age() >= pause:
                self._asked_at = Timestamp(time(), monotonic())
                self._fetch()
        finally:
            self._asking.release()

    def _fetch(self) -> None:
        trusted = self._held[0]
        try:
            keys = _fetched()
        except jwks_client.FetchError as error:
            self._has_failed = True
            logger.warning("key_set_not_fetched", extra={"reason": str(error), "keys": len(trusted.keys)})
            return
        if keys != trusted.keys:
            logger.info("key_set_changed", extra={"kids": sorted(keys), "kids_before": sorted(trusted.keys)})
            trusted = TrustedKeys(settings.COGNITO_ISSUER, settings.COGNITO_CLIENT_IDS, keys)
        self._held = (trusted, Timestamp(time(), monotonic()))
        self._has_failed = False


def _fetched() -> dict[str, PublicKey]:
    try:
        return jwks.parse(jwks_client.fetch(settings.COGNITO_JWKS_URL))
    except ValueError as error:
        raise jwks_client.FetchError("the answer is no key set") from error


_ring = KeyRing()


def current() -> TrustedKeys:
    """Return the pool with its keys as far as they are known."""
    return _ring.current()


def refresh_for_kid(kid: str) -> TrustedKeys:
    """
    Return the pool after having looked for a key that was not among the known ones.

    :raises KeysUnavailableError: if no keys are known
    """
    return _ring.refresh_for_kid(kid)


def reset() -> None:
    """Forget all keys, and with them every verified token (SnapStart's restore, tests)."""
    global _ring  # noqa: PLW0603 (one ring per process; a fetch under way ends in the old one)
    _ring = KeyRing()


@receiver(setting_changed)
def _forget_when_settings_change(*, setting: str, **_: Any) -> None:
    if setting.startswith("COGNITO_"):
        reset()


def probe() -> None:
    """
    Return if the pool's keys are known, fetching them if they were never needed yet.

    :raises KeysUnavailableError: if not
    """
    if not current().keys:
        refresh_for_kid("")
