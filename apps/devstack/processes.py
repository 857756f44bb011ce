"""Servers of ours: started so that they end with their parent, waited for, stopped."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from apps.devstack.errors import DevstackError

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Mapping, Sequence

PARENT_DEATH = Path(__file__).with_name("parent_death.py")
START_SECONDS = 180.0  # a server that fails ends earlier, and its exit is noticed
STOP_SECONDS = 60.0
POLL_SECONDS = 0.01


class Server:
    """
    A server that this process starts, waits for and stops.

    Subclasses say what it is called (`name`), where it logs (`log`) and how it starts.
    """

    name: str
    log: Path
    stop_signal: signal.Signals
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        raise NotImplementedError

    def wait(self) -> None:
        """Wait until it has ended."""
        if self._process is not None:
            self._process.wait()

    def stop(self) -> None:
        """Stop it; what it holds is kept."""
        if self._process is not None:
            stop(self._process, self.stop_signal)
            self._process = None

    def _await(self, ready: Callable[[], bool]) -> None:
        assert self._process is not None  # noqa: S101 (it was started)
        if not wait_until(ready, process=self._process, seconds=START_SECONDS):
            self.stop()
            raise DevstackError(f"Cannot start {self.name}: {last_line(self.log)} ({self.log})")


def start(
    program: Sequence[str | Path],
    *,
    end_with: signal.Signals,
    log: BinaryIO | int = subprocess.DEVNULL,
    environment: Mapping[str, str] | None = None,
    unprivileged: Sequence[Path] = (),
) -> subprocess.Popen[bytes]:
    """
    Start a program that gets the signal `end_with` when this process dies.

    It has a process group of its own, so that Ctrl-C in the terminal reaches us alone and we stop
    things in order. `unprivileged` names the folders of a program that may not run as root.
    Call it from the main thread: Linux counts the death of the thread that called.
    """
    return subprocess.Popen(  # noqa: S603 (our own programs, by their full paths)
        [*_with_parent_death(end_with, unprivileged), *map(str, program)],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=environment,
        process_group=0,
    )


def _with_parent_death(end_with: signal.Signals, unprivileged: Sequence[Path]) -> list[str]:
    options = ["--unprivileged", *map(str, unprivileged)] if unprivileged else []
    return [
        sys.executable,
        "-I",
        "-S",
        str(PARENT_DEATH),
        str(os.getpid()),
        str(int(end_with)),
        *options,
        "--",
    ]


def wait_until(ready: Callable[[], bool], *, process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Return whether a process became ready in time; one that ended never will."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        if ready():
            return True
        time.sleep(POLL_SECONDS)
    return False


def stop(process: subprocess.Popen[bytes], politely: signal.Signals) -> None:
    """End a process in the way it likes best, and if it does not listen, at once."""
    if process.poll() is not None:
        return
    process.send_signal(politely)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def last_line(log: Path) -> str:
    """Return what a server last said, for an error message."""
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
