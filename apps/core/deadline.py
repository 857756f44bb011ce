"""
The deadline of the request under way: everything that a request waits for shares it.

API Gateway gives up after 29 s and Lambda ends the function after 28 s. Without a common deadline
each call to a neighbour has its own time-out, and together they outlive both. Management commands
have no deadline.
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
    """The time of the request was used up by a service that does not answer."""

    message = "A service that this one depends on did not answer in time. Try again in a moment."


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Give the block a deadline, unless it has an earlier one already."""
    rest = remaining()
    token = _ends_at.set(time.monotonic() + (seconds if rest is None else min(seconds, rest)))
    try:
        yield
    finally:
        _ends_at.reset(token)


def remaining() -> float | None:
    """Return the seconds that are left, at least 0, or None where there is no deadline."""
    ends_at = _ends_at.get()
    return None if ends_at is None else max(0.0, ends_at - time.monotonic())


def call(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """
    Call a function that waits for the network, and wait for it until the deadline.

    A thread calls it: a socket's time-out knows nothing of name resolution, and starts again with
    every octet. The thread of a call that was given up ends with the function's own time-outs.

    :raises DeadlineError: at the deadline, and at once if that is over
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
        del result  # the traceback refers to it, and it to the traceback: the cycle would keep sockets open
