"""The deadline of a request. A call that never returns ends there, however slow the machine is."""

import time
from collections.abc import Iterator
from threading import Event, get_ident
from unittest.mock import Mock

import pytest
from django.conf import settings
from django.test import Client

from apps.core import deadline
from apps.core.deadline import DeadlineError
from apps.health import probes
from moped_api import settings as configured


@pytest.fixture
def silence() -> Iterator[Event]:
    """An event that does not happen before the test is over."""
    event = Event()
    yield event
    event.set()


class TestRemaining:
    @pytest.mark.parametrize(("inner", "now", "expected"), [(5, 100, 5), (60, 113, 7), (60, 200, 0)])
    def test_is_what_the_clock_and_the_outer_block_left(
        self, monkeypatch: pytest.MonkeyPatch, inner: float, now: float, expected: float
    ) -> None:
        monkeypatch.setattr(time, "monotonic", lambda: 100.0)
        with deadline.limit(20):
            with deadline.limit(inner):
                monkeypatch.setattr(time, "monotonic", lambda: now)
                assert deadline.remaining() == expected
            assert deadline.remaining() == max(0, 120 - now)
        assert deadline.remaining() is None


class TestCall:
    def test_returns_the_result(self) -> None:
        assert deadline.call(get_ident) == get_ident()  # no thread without a deadline
        with deadline.limit(60):
            assert deadline.call(int, "11", base=2) == 3

    @pytest.mark.parametrize("error", [ZeroDivisionError, TimeoutError, KeyboardInterrupt])
    def test_raises_what_the_function_raises(self, error: type[BaseException]) -> None:
        with deadline.limit(60), pytest.raises(error):
            deadline.call(Mock(side_effect=error))

    def test_ends_at_the_deadline(self, silence: Event) -> None:
        with deadline.limit(0.05), pytest.raises(DeadlineError):
            deadline.call(silence.wait)

    def test_does_not_begin_after_the_deadline(self) -> None:
        function = Mock()
        with deadline.limit(0), pytest.raises(DeadlineError):
            deadline.call(function)
        function.assert_not_called()


class TestRequestMiddleware:
    def test_gives_each_request_a_deadline(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        deadlines: list[float | None] = []
        monkeypatch.setattr(probes, "check", lambda: deadlines.append(deadline.remaining()))

        client.get("/health/ready")

        assert deadlines[0] is not None
        assert 0 <= deadlines[0] <= settings.REQUEST_SECONDS
        assert deadline.remaining() is None

    def test_ends_before_the_function_does(self) -> None:
        longest_pause = 2  # of botocore, before the third attempt
        assert configured.REQUEST_SECONDS + longest_pause < 28
