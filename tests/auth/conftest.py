"""A pool that misbehaves on request: its key server, and two keys that it publishes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from apps.auth.tokens import keys, rules, verifier
from tests.auth.key_server_stub import Publisher
from tests.auth.signing import key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings


@pytest.fixture(scope="session")
def _publisher() -> Iterator[Publisher]:
    server = Publisher()
    yield server
    server.close()


@pytest.fixture
def publisher(_publisher: Publisher, settings: Settings) -> Iterator[Publisher]:
    """Publish `pool-key-1` and `pool-key-2`, which have not been fetched yet."""
    _publisher.publish(key("pool-key-1"), key("pool-key-2"))
    settings.COGNITO_JWKS_URL = _publisher.url
    keys.reset()
    yield _publisher
    keys.reset()


class Clock:
    """Both clocks of the machine, in the test's hand."""

    def __init__(self) -> None:
        self.wall = int(time.time())  # whole, so that sums are exact
        self.running = int(time.monotonic())

    def passes(self, seconds: int) -> None:
        """Let time go by on both."""
        self.wall += seconds
        self.running += seconds

    def is_set(self, seconds: int) -> None:
        """Move the hands of the wall clock only."""
        self.wall += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Stop the clocks of the verifier."""
    stopped = Clock()
    monkeypatch.setattr(keys, "monotonic", lambda: stopped.running)
    monkeypatch.setattr(keys, "time", lambda: stopped.wall)
    monkeypatch.setattr(rules, "time", lambda: stopped.wall)
    monkeypatch.setattr(verifier, "time", lambda: stopped.wall)
    return stopped
