"""Objects that a process builds once, when they are first needed."""

from __future__ import annotations

from functools import cache, update_wrapper
from threading import RLock
from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")

# One for all: building one object may need another, and boto3 builds no two clients at a time.
_lock = RLock()


class once(Generic[P, T]):  # noqa: N801 (a decorator)
    """
    `functools.cache` that builds each object only once, however many threads ask for it first.

    functools.cache calls the function in every thread that finds no result, and keeps one of these.
    """

    def __init__(self, build: Callable[P, T]) -> None:
        self._cached = cache(build)
        update_wrapper(self, build)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the object for these arguments."""
        with _lock:
            return self._cached(*args, **kwargs)  # type: ignore[arg-type]  # cache wants hashable arguments

    def cache_clear(self) -> None:
        """Forget all objects."""
        with _lock:
            self._cached.cache_clear()
