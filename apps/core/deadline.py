"""
The deadline of the current request. All calls that a request waits for share it.

API Gateway gives up after 29 s and Lambda ends the function after 28 s. Without a common deadline
each call to another service would have its own time-out, and together these could exceed both limits.
Management commands have no deadline.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import ParamSpec, TypeVar

from apps.core.errors import UnavailableError

P = ParamSpec("P")
T = TypeVar("T")

_ends_at: ContextVar[float | None] = ContextVar("deadline", default=None)  # on the monotonic clock


class DeadlineError(UnavailableError):
    """A service did not answer before the deadline of the request."""

    message = "A service that this one depends on did not answer in time. Try again in a moment."


@contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Give the block a deadline in so many seconds, unless it already has an earlier one."""
    seconds_left = remaining()
    token = _ends_at.set(time.monotonic() + (seconds if seconds_left is None else min(seconds, seconds_left)))
    try:
        yield
    finally:
        _ends_at.reset(token)


def remaining() -> float | None:
    """Return the seconds until the deadline, at least 0, or None if there is no deadline."""
    ends_at = _ends_at.get()
    return None if ends_at is None else max(0.0, ends_at - time.monotonic())


def call(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """
    Call a function that waits for the network, and wait for it until the deadline.

    The function runs in a thread, because the time-out of a socket does not cover name resolution and starts
    again with every octet. After the deadline, the thread ends with the function's own time-outs.

    :raises DeadlineError: at the deadline, or at once if it has passed
    """
    seconds = remaining()
    if seconds is None:
        return function(*args, **kwargs)
    if not seconds:
        raise DeadlineError
    result: Future[T] = Future()
    work = partial(function, *args, **kwargs)
    threading.Thread(target=_resolve, args=(result, work), name="deadline", daemon=True).start()
    if not wait([result], seconds).done:
        raise DeadlineError
    try:
        return result.result()
    finally:
        del result  # see _resolve


def _resolve(result: Future[T], work: Callable[[], T]) -> None:
    try:
        result.set_result(work())
    except BaseException as error:  # noqa: BLE001 (the caller's thread raises it)
        result.set_exception(error)
    finally:
        del result  # it and the traceback refer to each other, and this cycle would keep sockets open
