"""Servers of this process: started, awaited and stopped. Linux ends them when this process dies."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from apps.devstack.errors import DevstackError

START_SECONDS = 180.0  # a server that fails ends earlier, and its exit is noticed
STOP_SECONDS = 60.0
POLL_SECONDS = 0.01
PR_SET_PDEATHSIG = 1
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

    Subclasses say what it is called (`name`), where it logs (`log`), when it is ready and how it starts.
    """

    name: str
    log: Path
    stop_signal: signal.Signals
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """
        Start it and wait until it is ready.

        :raises DevstackError: if it is not installed or does not come up, with the last line of its log
        """
        raise NotImplementedError

    def wait(self) -> None:
        """Wait until it has ended."""
        if self._process is not None:
            self._process.wait()

    def stop(self) -> None:
        """Stop it. Its data is kept."""
        if self._process is not None:
            stop(self._process, self.stop_signal)
            self._process = None

    def _is_ready(self, pid: int) -> bool:
        raise NotImplementedError

    def _start(
        self,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str] | None = None,
        unprivileged: Sequence[Path] = (),
    ) -> None:
        self._process = process = start(
            command,
            end_with=self.stop_signal,
            log=self.log,
            environment=environment,
            unprivileged=unprivileged,
        )
        if not wait_until(lambda: self._is_ready(process.pid), process=process, seconds=START_SECONDS):
            self.stop()
            raise DevstackError(f"Cannot start {self.name}: {last_line(self.log)} ({self.log})")


def start(
    command: Sequence[str | Path],
    *,
    end_with: signal.Signals,
    log: Path,
    environment: Mapping[str, str] | None = None,
    unprivileged: Sequence[Path] = (),
) -> subprocess.Popen[bytes]:
    """
    Start a program that gets the signal `end_with` when this process dies.

    It has a process group of its own, so that Ctrl-C in the terminal reaches only this process, which
    stops its servers in order. Linux counts the death of the thread that starts the program.

    :param unprivileged: the folders of a program that may not run as root
    """
    # A change of the user would clear the signal, so it comes first.
    prefix = [*_without_root(unprivileged), *tied_to_parent(end_with)]
    with log.open("wb") as output:
        return subprocess.Popen(  # noqa: S603 (our own programs)
            [*prefix, *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            process_group=0,
        )


def tied_to_parent(end_with: signal.Signals) -> list[str]:
    """Return the start of a command that gets a signal when its parent dies. macOS has no such thing."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", end_with.name.removeprefix("SIG"), "--"] if setpriv else []


def end_with_parent(parent: int) -> None:
    """Have this process end with its parent, which may have ended already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(1)


def wait_until(ready: Callable[[], bool], *, process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Return whether a process became ready in time; one that ended never will."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        if ready():
            return True
        time.sleep(POLL_SECONDS)
    return False


def stop(process: subprocess.Popen[bytes], stop_signal: signal.Signals) -> None:
    """End a process with a signal, and kill it if it does not obey."""
    if process.poll() is not None:
        return
    process.send_signal(stop_signal)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def last_line(log: Path) -> str:
    """Return the last line of a server's log, for an error message."""
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "it wrote nothing")


def _without_root(folders: Sequence[Path]) -> Sequence[str]:
    """Return the start of a command that does not run as root, and let it use these folders."""
    if not folders or os.geteuid() != 0:
        return ()
    for folder in folders:
        if folder.stat().st_uid != UNPRIVILEGED_ID:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, UNPRIVILEGED_ID, UNPRIVILEGED_ID, follow_symlinks=False)
    return AS_ANOTHER_USER
