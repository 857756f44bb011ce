"""Servers of this process: started, awaited and stopped. Linux ends them when this process dies."""

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

START_SECONDS = 180.0  # a server that fails ends earlier, and its exit is noticed
STOP_SECONDS = 60.0
POLL_SECONDS = 0.01
PR_SET_PDEATHSIG = 1  # linux/prctl.h
# The Unix user as which root runs PostgreSQL, since PostgreSQL refuses to run as root. The program
# may lie in root's home, so it keeps the right to pass through folders.
UNPRIVILEGED_ID = 65534
AS_ANOTHER_USER = (
    *("setpriv", f"--reuid={UNPRIVILEGED_ID}", f"--regid={UNPRIVILEGED_ID}", "--clear-groups"),
    *("--inh-caps=+dac_override", "--ambient-caps=+dac_override"),
)


class Server:
    """
    A server that this process starts, waits for and stops.

    Subclasses say what it is called (`name`), where it logs (`log`) and how it starts.
    """

    name: str
    log: Path
    stop_signal = signal.SIGTERM
    ready: bytes  # what it writes into its log as soon as it can be used
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """
        Start it and wait until it is ready.

        :raises DevstackError: if it is not installed or does not come up, with the last line of its log
        """
        raise NotImplementedError

    @property
    def has_ended(self) -> bool:
        """Whether it was started and has ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def stop(self) -> None:
        """Stop it, and kill it if it does not obey. Its data is kept."""
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
        Start its program, which gets the stop signal when this process dies, and wait until it is ready.

        It has a process group of its own, so that Ctrl-C in the terminal reaches only this process, which
        stops its servers in order. Linux counts the death of the thread that starts the program.

        :param unprivileged: the folders of a program that may not run as root
        """
        # A change of the user would clear the signal, so it comes first.
        prefix = [*without_root(unprivileged), *tied_to_parent(self.stop_signal)]
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


def tied_to_parent(end_with: signal.Signals) -> list[str]:
    """Return the start of a command that gets a signal when its parent dies. macOS has no such thing."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", end_with.name.removeprefix("SIG"), "--"] if setpriv else []


def end_with_parent() -> None:
    """Let this process, which another program started, get SIGTERM when its parent dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def last_line(log: Path) -> str:
    """Return the last line of a server's log, for an error message."""
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "it wrote nothing")


def without_root(folders: Sequence[Path]) -> Sequence[str]:
    """Return the start of a command that does not run as root, and let it use these folders."""
    if not folders or os.geteuid() != 0:
        return ()
    for folder in folders:
        if folder.stat().st_uid != UNPRIVILEGED_ID:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, UNPRIVILEGED_ID, UNPRIVILEGED_ID, follow_symlinks=False)
    return AS_ANOTHER_USER
