"""The processes of a folder, and whether an URL is served."""

from __future__ import annotations

import urllib.request
from pathlib import Path

from tests.support.waiting import LIMIT_SECONDS


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
