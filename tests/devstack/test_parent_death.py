from __future__ import annotations

import os
import signal
import subprocess
import sys

from apps.devstack.processes import PARENT_DEATH

# Print whether SIGINT and SIGTERM are ignored, as a program under the wrapper finds them.
SHOW = "import signal;print([signal.getsignal(s) == signal.SIG_IGN for s in (signal.SIGINT, signal.SIGTERM)])"


def run_with_ignored_interrupt(death_signal: signal.Signals) -> str:
    """Run a program under the wrapper in a background job of a script, which ignores SIGINT."""
    wrapper = [sys.executable, "-I", "-S", str(PARENT_DEATH), str(os.getpid()), str(int(death_signal)), "--"]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        run = subprocess.run(
            [*wrapper, sys.executable, "-c", SHOW], capture_output=True, text=True, check=True
        )
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return run.stdout.strip()


class TestDieWith:
    def test_resets_the_signal_it_asks_for(self) -> None:
        assert run_with_ignored_interrupt(signal.SIGINT) == "[False, False]"

    def test_keeps_another_signal_ignored(self) -> None:
        assert run_with_ignored_interrupt(signal.SIGTERM) == "[True, False]"
