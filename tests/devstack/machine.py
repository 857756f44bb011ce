"""What the machine says: which processes belong to a folder, who answers."""

from __future__ import annotations

import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def processes_of(folder: Path) -> dict[int, str]:
    """Return the command line of each living process that was given this folder, by its number."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command, variables = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
        except OSError:
            continue
        if bytes(folder) in command + variables:
            found[int(process.name)] = command.replace(b"\0", b" ").decode()
    return found


def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Return whether something comes true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def answers(url: str) -> bool:
    """Return whether an URL is served."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False
