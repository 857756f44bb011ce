"""Starts and stops servers as child processes. Linux ends them when this process dies."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from apps.devstack.errors import DevstackError

START_SECONDS = 180.0  # a failed start is noticed earlier, by the server's exit
STOP_SECONDS = 60.0
POLL_SECONDS = 0.01
PR_SET_PDEATHSIG = 1  # linux/prctl.h
# PostgreSQL refuses to run as root, so root runs it as this Unix user. The program may be in root's
# home, so the process keeps the capability to read all folders.
UNPRIVILEGED_ID = 65534
AS_ANOTHER_USER = (
    *("setpriv", f"--reuid={UNPRIVILEGED_ID}", f"--regid={UNPRIVILEGED_ID}", "--clear-groups"),
    *("--inh-caps=+dac_override", "--ambient-caps=+dac_override"),
)


class Server:
    """
    A server that this process starts, waits for and stops.

    Subclasses define its name, its log file, its `ready` line and `start`.
    """

    name: str
    log: Path
    stop_signal = signal.SIGTERM
    ready: bytes  # the line in its log that shows that it is ready
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """
        Start the server and wait until it is ready.

        :raises DevstackError: if it is not installed or does not come up, with the last line of its log
        """
        raise NotImplementedError

    @property
    def has_ended(self) -> bool:
        """Whether the server was started and has ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def stop(self) -> None:
        """Stop the server. Kill it after a timeout. Its data stays."""
        if self._process is None:
            return
        self._process.send_signal(self.stop_signal)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _is_ready(self) -> bool:
        return self.ready in self.log.read_bytes()

    def _start(
        self,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str] | None = None,
        unprivileged: Sequence[Path] = (),
    ) -> None:
        """
        Start the program and wait until it is ready. It gets the stop signal when this process dies.

        It has its own process group, so that Ctrl-C in the terminal reaches only this process, which stops
        its servers in order. Start it in a thread that stays alive: Linux signals the thread's end.

        :param unprivileged: the folders of a program that refuses to run as root
        """
        # A change of the user clears the signal, so change the user first.
        prefix = [*unprivileged_prefix(unprivileged), *parent_death_prefix(self.stop_signal)]
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 (our own programs)
                [*prefix, *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                process_group=0,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise DevstackError(f"Cannot start {self.name}: {last_line(self.log)} ({self.log})")
            time.sleep(POLL_SECONDS)


def parent_death_prefix(end_with: signal.Signals) -> list[str]:
    """Return a command prefix that signals the program when its parent dies. Empty on macOS."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", end_with.name.removeprefix("SIG"), "--"] if setpriv else []


def end_with_parent() -> None:
    """Let this process, which another program started, get SIGTERM when its parent dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def last_line(log: Path) -> str:
    """Return the last line of a server's log that is not empty, for an error message."""
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "it wrote nothing")


def unprivileged_prefix(folders: Sequence[Path]) -> Sequence[str]:
    """Give the folders to an unprivileged user, and return a command prefix that runs as this user."""
    if not folders or os.geteuid() != 0:
        return ()
    for folder in folders:
        if folder.stat().st_uid != UNPRIVILEGED_ID:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, UNPRIVILEGED_ID, UNPRIVILEGED_ID, follow_symlinks=False)
    return AS_ANOTHER_USER
