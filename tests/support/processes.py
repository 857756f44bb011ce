"""Commands, the processes of a folder, and whether an URL is served."""

import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from apps.devstack.environment import PROJECT
from tests.support.waiting import LIMIT_SECONDS


def run(
    *command: str | Path, environment: Mapping[str, str] | None = None, folder: Path = PROJECT
) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, and return how it ended and what it printed."""
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def run_python(
    *words: str, environment: Mapping[str, str], folder: Path = PROJECT
) -> subprocess.CompletedProcess[str]:
    """Run this Python in a folder, and return how it ended and what it printed."""
    return run(sys.executable, *words, environment=environment, folder=folder)


def processes_of(folder: Path) -> dict[int, str]:
    """Return the command line of each living process that was given this folder, by its number."""
    processes = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command, variables = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
        except OSError:
            continue
        if bytes(folder) in command + variables:
            processes[int(process.name)] = command.replace(b"\0", b" ").decode()
    return processes


def answers(url: str) -> bool:
    """Return whether an URL is served."""
    try:
        with urllib.request.urlopen(url, timeout=LIMIT_SECONDS) as response:
            return bool(response.status == 200)
    except OSError:
        return False
