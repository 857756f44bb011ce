"""
A browser for the browser tests: `python -m apps.devstack.browser` gets one where one can be had.

The system's if there is one, else Debian's package where we are root, else Playwright's download.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

SYSTEM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 300
ASK_PLAYWRIGHT = """
from playwright.sync_api import sync_playwright

with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)
"""


def find() -> str:
    """Return the path of a browser on this machine, or nothing."""
    paths = (shutil.which(name) for name in SYSTEM)
    return next(filter(None, paths), "") or _playwrights_own()


def main() -> str:
    """Get a browser; return what to say if none can be had."""
    if find() or (_from_debian() and find()) or (_from_playwright() and find()):
        return ""
    return "There is no chromium here and none could be installed: `make check` will fail."


def _playwrights_own() -> str:
    # In a process of its own, since Playwright's loop and pytest's plugins do not mix.
    command = [sys.executable, "-c", ASK_PLAYWRIGHT]
    answer = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    path = answer.stdout.strip()
    return path if path and Path(path).exists() else ""


def _from_debian() -> bool:
    apt = shutil.which("apt-get")
    if not apt or os.geteuid() != 0:
        return False
    return _install(apt, "update", "-qq") and _install(
        apt, "install", "-qq", "--yes", "--no-install-recommends", "chromium"
    )


def _from_playwright() -> bool:
    return _install(sys.executable, "-m", "playwright", "install", "chromium")


def _install(*command: str) -> bool:
    try:
        return subprocess.run(command, check=False, timeout=SECONDS, stdout=sys.stderr).returncode == 0  # noqa: S603
    except subprocess.TimeoutExpired:
        return False


if __name__ == "__main__":
    sys.exit(main() or 0)
