"""The clock of the machine, in the test's hand."""

import time

import pytest

from apps.auth.tokens import verifier
from apps.core import cache


class Clock:
    """The wall clock of caches and of the verifier."""

    def __init__(self) -> None:
        self.wall = int(time.time())  # whole, so that sums are exact

    def passes(self, seconds: int) -> None:
        """Move the clock forward, or back."""
        self.wall += seconds

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make the product read this clock."""
        for module in (cache, verifier):
            monkeypatch.setattr(module, "time", lambda: self.wall)
