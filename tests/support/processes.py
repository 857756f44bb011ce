"""Commands, the processes of a folder, and whether an URL is served."""

import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import psutil

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
    lines = {}
    for process in psutil.process_iter(["cmdline", "environ"]):
        words, variables = process.info["cmdline"] or [], process.info["environ"] or {}
        if any(str(folder) in text for text in (*words, *variables.values())):
            lines[process.pid] = " ".join(words)
    return lines


def answers(url: str) -> bool:
    """Return whether an URL is served."""
    try:
        with urllib.request.urlopen(url, timeout=LIMIT_SECONDS) as response:
            return bool(response.status == 200)
    except OSError:
        return False
