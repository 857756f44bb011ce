"""Both clocks of the machine, in the test's hand."""

import time

import pytest

from apps.auth.tokens import verifier
from apps.core import cache


class Clock:
    """The wall clock and the monotonic clock of caches and of the verifier."""

    def __init__(self) -> None:
        self.wall = int(time.time())  # whole, so that sums are exact
        self.running = int(time.monotonic())

    def passes(self, seconds: int) -> None:
        """Move both clocks forward."""
        self.wall += seconds
        self.running += seconds

    def is_set(self, seconds: int) -> None:
        """Move the wall clock only."""
        self.wall += seconds

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make the product read this clock."""
        monkeypatch.setattr(cache, "monotonic", lambda: self.running)
        for module in (cache, verifier):
            monkeypatch.setattr(module, "time", lambda: self.wall)
