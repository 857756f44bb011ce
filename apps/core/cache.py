"""A cache for the answers of another service. Stale values stay in use while the service fails."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from functools import partial
from threading import Lock
from time import time
from typing import Generic, NamedTuple, TypeVar

from apps.core.errors import UnavailableError, UpstreamError

K = TypeVar("K")
V = TypeVar("V")

NEVER = float("-inf")


def _age(timestamp: float) -> float:
    """
    Return the seconds since a time of the wall clock. The monotonic clock stops while Lambda is frozen.

    If the wall clock was set back, the distance counts, so that a value does not stay fresh for longer.
    """
    return abs(time() - timestamp)


class NotLoadedError(UnavailableError):
    """There is no usable value, and the next load is not due or another thread is loading."""


class _Entry(NamedTuple, Generic[V]):
    value: V
    loaded_at: float


@dataclass(eq=False)
class RefreshingCache(Generic[K, V]):
    """
    Values of one source, loaded by one thread at a time.

    Other threads wait for that thread. They do not wait if the last load failed: then each of them uses its
    stale value or fails at once. Readers of fresh values take no lock.
    """

    load: Callable[[K], V]
    fresh: float
    """Seconds for which a value is used without another load."""
    _: KW_ONLY
    max_age: float
    """Seconds for which a value is used if the source fails."""
    pause: float
    """Seconds from the failure of a load to the next load of any key that has a usable value."""
    pause_without_value: float = UnavailableError.retry_after
    """The same for a key without a usable value. The default is the `Retry-After` of the answer."""
    serve_stale: bool = False
    """Whether other threads use the stale value while one thread loads."""
    failures: tuple[type[Exception], ...] = (UpstreamError,)
    """Exceptions of `load` for a failed source. All others reach the caller and start no pause."""
    size: int = 1024
    """Maximum number of values. The oldest are dropped."""

    def __post_init__(self) -> None:
        self._entries: dict[K, _Entry[V]] = {}
        self._lock = Lock()
        self._last_failure_at = self._last_refresh_at = NEVER
        self._has_failed = False

    def get(self, key: K, *, allow_stale: bool = True) -> V:
        """
        Return a value, and load it if it is not fresh.

        :raises NotLoadedError: if there is no usable value and no load is due
        """
        entry = self._find_entry(key, self.fresh)
        if entry is not None:
            return entry.value
        max_age = self.max_age if allow_stale else self.fresh
        return self._reload(key, max_age, partial(self._is_due, key, max_age))

    def get_known(self, key: K) -> V | None:
        """Return a value that was loaded before, or None. Load it again if it is not fresh."""
        entry = self._entries.get(key)
        if entry is not None and _age(entry.loaded_at) < self.fresh:
            return entry.value  # a short path, because every verified token takes it
        return self.get(key) if self._find_entry(key, self.max_age) else None

    def peek(self, key: K) -> V | None:
        """Return the usable value, or None. Load nothing."""
        entry = self._find_entry(key, self.max_age)
        return None if entry is None else entry.value

    def refresh(self, key: K, *, interval: float) -> V:
        """
        Return a value, loaded again unless the last refresh began less than `interval` seconds ago.

        :raises NotLoadedError: if there is no usable value and no load is due
        """
        return self._reload(key, self.max_age, partial(self._may_refresh, interval))

    def clear(self, *keys: K) -> None:
        """Drop these values, or all, and forget failures. Wait for a load that has begun."""
        with self._lock:
            self._last_failure_at = self._last_refresh_at = NEVER
            self._has_failed = False
            for key in keys or tuple(self._entries):
                self._entries.pop(key, None)

    def _reload(self, key: K, max_age: float, is_due: Callable[[], bool]) -> V:
        has_stale = self.serve_stale and self._find_entry(key, max_age)
        if self._lock.acquire(blocking=not (has_stale or self._has_failed)):
            try:
                if is_due():
                    return self._try_load(key, max_age)
            finally:
                self._lock.release()
        entry = self._find_entry(key, max_age)
        if entry is None:
            raise NotLoadedError
        return entry.value

    def _is_due(self, key: K, max_age: float) -> bool:
        if self._has_failed:
            pause = self.pause if self._find_entry(key, max_age) else self.pause_without_value
            return _age(self._last_failure_at) >= pause
        return not self._find_entry(key, self.fresh)  # another thread may have loaded it

    def _may_refresh(self, interval: float) -> bool:
        if _age(self._last_refresh_at) < interval:
            return False
        self._last_refresh_at = time()
        return True

    def _try_load(self, key: K, max_age: float) -> V:
        try:
            value = self.load(key)
        except self.failures:
            self._has_failed, self._last_failure_at = True, time()
            entry = self._find_entry(key, max_age)
            if entry is None:
                raise
            return entry.value
        self._has_failed = False
        self._store(key, value)
        return value

    def _store(self, key: K, value: V) -> None:
        self._entries.pop(key, None)
        self._entries[key] = _Entry(value, time())
        if len(self._entries) > self.size:
            del self._entries[next(iter(self._entries))]

    def _find_entry(self, key: K, max_age: float) -> _Entry[V] | None:
        entry = self._entries.get(key)
        return entry if entry is not None and _age(entry.loaded_at) < max_age else None
