"""`make run` in a copy of the tree, and a real chromium in front of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from apps.devstack import browser
from apps.devstack.emulator import free_port
from tests import newcomer
from tests.clone import copy_tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

START_SECONDS = 120
# Tests call more often than people do.
UNHURRIED = dict.fromkeys(
    (
        "MOPED_API_WRITES_PER_CALLER",
        "MOPED_API_SIGNATURES_PER_CALLER",
        "MOPED_API_SIGN_INS_PER_ADDRESS",
    ),
    "100000/min",
)


@dataclass(frozen=True)
class Laptop:
    """A running `make run`: where it is, and what it prints."""

    folder: Path
    url: str
    output: Path

    def printed(self) -> str:
        return self.output.read_text()

    def manage(self, *arguments: str) -> str:
        """Return what a `manage.py` command prints in this folder."""
        run = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=self.folder,
            env=newcomer.environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        return run.stdout.strip()


@pytest.fixture(scope="session")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    with running_laptop(tmp_path_factory.mktemp("laptop")) as running:
        yield running


@contextmanager
def running_laptop(parent: Path) -> Iterator[Laptop]:
    """Start `make run` in a new copy of the tree, and end it."""
    folder = copy_tree(parent / "moped")
    _remember_another_aws(folder)
    port = free_port()
    running = Laptop(folder, f"http://127.0.0.1:{port}", folder / "output.txt")
    with running.output.open("w") as output:
        server = subprocess.Popen(
            [
                *(sys.executable, "-I", "-S", "apps/devstack/leash.py", str(os.getpid()), "15", "--"),
                *(sys.executable, "-u", "manage.py", "runserver", str(port)),
            ],
            cwd=folder,
            env=newcomer.environment() | UNHURRIED,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for_welcome(server, running)
        yield running
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)


def _remember_another_aws(folder: Path) -> None:
    """Let each of several laptops that start at once have a port of its own for its AWS."""
    world = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}"}
    (folder / ".devstack").mkdir()
    (folder / ".devstack/world.json").write_text(json.dumps(world))


def _wait_for_welcome(server: subprocess.Popen[bytes], running: Laptop) -> None:
    deadline = time.monotonic() + START_SECONDS
    while "Who you can be" not in running.printed():
        assert server.poll() is None, running.printed()
        assert time.monotonic() < deadline, running.printed()
        time.sleep(0.1)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """
    The machine's browser; where CI has none that is a failure, elsewhere a named skip.

    One for each module: while Playwright is there, an event loop runs in this thread, and Django
    lets no test use the database that comes after.
    """
    path = browser.find()
    if not path:
        refuse = pytest.fail if "CI" in os.environ else pytest.skip
        refuse("there is no chromium here; `make browser` gets one where one can be had")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path)
        yield launched
        launched.close()


@pytest.fixture
def page(chromium: Browser, laptop: Laptop) -> Iterator[Page]:
    """A fresh browser window that knows where the laptop's API is."""
    context = chromium.new_context(base_url=laptop.url)
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()
