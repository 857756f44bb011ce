"""
Which keys are the pool's now: fetched when first needed, kept, renewed, withdrawn.

A key server that is down, slow or hostile may cost us new keys, never the ones we have and
never more than one waiting thread.
"""

from __future__ import annotations

import logging
import threading
from time import monotonic, time
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver

from apps.auth import jwks, key_server
from apps.auth.reasons import KeysUnavailableError

if TYPE_CHECKING:
    from apps.auth.jwks import KeySet

logger = logging.getLogger(__name__)

FRESH_SECONDS = 60 * 60  # then ask again: the longest that a withdrawn key lives
USABLE_SECONDS = 24 * 60 * 60  # while the key server cannot be reached
# Between the beginnings of two fetches:
PAUSE_WITHOUT_KEYS = float(KeysUnavailableError.retry_after)
PAUSE_UNKNOWN_KID = 10.0
PAUSE_AFTER_FAILURE = 60.0
NEVER = float("-inf")
NOTHING = jwks.KeySet({})


class KeyRing:
    """The key set we hold, and when we may ask for another."""

    def __init__(self) -> None:
        self._asking = threading.Lock()
        self._asked_at = NEVER
        # Replaced as a whole, never changed: readers take no lock.
        self._held = (NOTHING, NEVER, NEVER)

    def current(self) -> KeySet:
        """Return the keys to go by; an empty set if none are known or the known are too old."""
        key_set, fetched_at, fetched_at_monotonic = self._held
        # The older of two clocks: one may be set back, the other stands still while Lambda sleeps.
        if time() - fetched_at < FRESH_SECONDS and monotonic() - fetched_at_monotonic < FRESH_SECONDS:
            return key_set
        if self._usable():
            self._ask(PAUSE_AFTER_FAILURE)
        return self._usable()

    def with_key(self, kid: str) -> KeySet:
        """
        Return the keys after having looked once more for this one, if it was time to look.

        :raises KeysUnavailableError: if no keys are known
        """
        usable = self._usable()
        if usable.get(kid) is None:
            self._ask(PAUSE_UNKNOWN_KID if usable else PAUSE_WITHOUT_KEYS)
            usable = self._usable()
        if not usable:
            raise KeysUnavailableError
        return usable

    def _usable(self) -> KeySet:
        key_set, fetched_at, fetched_at_monotonic = self._held
        age = max(time() - fetched_at, monotonic() - fetched_at_monotonic)
        return key_set if age < USABLE_SECONDS else NOTHING

    def _ask(self, pause: float) -> None:
        """Fetch the key set unless somebody did so a moment ago or is doing it now."""
        if monotonic() - self._asked_at < pause:
            return
        # Whoever has keys goes on with them; only without any is it worth waiting for the asker.
        patience = 0.0 if self._usable() else key_server.DEADLINE_SECONDS + 0.5
        if not self._asking.acquire(timeout=patience):
            return
        try:
            if monotonic() - self._asked_at >= pause:
                self._asked_at = monotonic()
                self._fetch()
        finally:
            self._asking.release()

    def _fetch(self) -> None:
        held = self._held[0]
        try:
            fetched = _fetched()
        except key_server.FetchError as error:
            logger.warning("key_set_not_fetched", extra={"reason": str(error), "keys": len(held)})
            return
        if not fetched.same_as(held):
            logger.info("key_set_changed", extra={"kids": fetched.kids(), "kids_before": held.kids()})
            held = fetched
        self._held = (held, time(), monotonic())


def _fetched() -> KeySet:
    try:
        return jwks.parse(key_server.fetch(settings.COGNITO_JWKS_URL))
    except ValueError as error:
        raise key_server.FetchError("the answer is no key set") from error


_ring = KeyRing()


def current() -> KeySet:
    """Return the pool's keys as far as they are known."""
    return _ring.current()


def with_key(kid: str) -> KeySet:
    """
    Return the pool's keys after having looked for one that was not among them.

    :raises KeysUnavailableError: if no keys are known
    """
    return _ring.with_key(kid)


def reset() -> None:
    """Forget all keys, and with them every verified token (SnapStart's restore, tests)."""
    global _ring  # noqa: PLW0603 (one ring per process; a fetch under way ends in the old one)
    _ring = KeyRing()


@receiver(setting_changed)
def _forget_when_settings_change(*, setting: str, **_: Any) -> None:
    if setting.startswith("COGNITO_"):
        reset()
