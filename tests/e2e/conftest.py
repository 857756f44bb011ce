"""`make run` in a copy of the tree, and a real chromium in front of it."""

from __future__ import annotations

import itertools
import json
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Error, expect, sync_playwright

from apps.devstack import processes
from apps.devstack.emulator import free_port
from apps.devstack.personas import BY_KEY
from tests.support import clean_env
from tests.support.waiting import LIMIT_MILLISECONDS, LIMIT_SECONDS, wait_until
from tests.support.working_copy import copy_tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
FAULTS = """
async () => {
  const still = new CSSStyleSheet();
  still.replaceSync("* { transition: none !important; animation: none !important; }");
  document.adoptedStyleSheets = [still];
  // The page hears of the scheme with the next frame.
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const { violations } = await axe.run({ resultTypes: ["violations"] });
  const faults = violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target}`));
  const { scrollWidth, clientWidth } = document.documentElement;
  return scrollWidth > clientWidth ? [...faults, `too-wide: ${scrollWidth} px`] : faults;
}
"""
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
            env=clean_env.environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        return run.stdout.strip()


@pytest.fixture(scope="session")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    with running_laptop(tmp_path_factory.mktemp("laptop")) as running:
        running.manage("token", "--as", "admin")  # starts the trigger, which a sign-in waits for 10 s
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
                *processes.tied_to_parent(signal.SIGTERM),
                *(sys.executable, "-u", "manage.py", "runserver", str(port)),
            ],
            cwd=folder,
            env=clean_env.environment() | UNHURRIED,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for_welcome(server, running)
        yield running
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(LIMIT_SECONDS)


def _remember_another_aws(folder: Path) -> None:
    """Let each of several laptops that start at once have a port of its own for its AWS."""
    variables = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}"}
    (folder / ".devstack").mkdir()
    (folder / ".devstack/variables.json").write_text(json.dumps(variables))


def _wait_for_welcome(server: subprocess.Popen[bytes], running: Laptop) -> None:
    assert wait_until(lambda: "Who you can be" in running.printed() or server.poll() is not None)
    assert server.poll() is None, running.printed()


def executable() -> str | None:
    """Return the machine's browser, or None for Playwright's own."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """
    The machine's browser; without one the test fails and names the command that installs it.

    One for each module: while Playwright is there, an event loop runs in this thread, and Django
    lets no test use the database that comes after.
    """
    expect.set_options(timeout=LIMIT_MILLISECONDS)
    with sync_playwright() as playwright:
        try:
            launched = playwright.chromium.launch(executable_path=executable())
        except Error as error:
            pytest.fail(f"No chromium starts here. Run `make browser`. {error}")
        yield launched
        launched.close()


@contextmanager
def nothing_blocked(page: Page) -> Iterator[None]:
    """Fail at the end if the Content-Security-Policy of the page blocked anything."""
    blocked: list[str] = []
    page.on("console", lambda line: blocked.append(line.text) if "Content Security" in line.text else None)
    yield
    assert not blocked


def act_as(page: Page, persona: str) -> None:
    """Sign the page in with the switch that a laptop's pages have."""
    page.get_by_label("Persona").select_option(persona)
    page.get_by_role("button", name="Act as").click()
    expect(page.locator(".who")).to_contain_text(BY_KEY[persona].email)


def faults(page: Page, widths: tuple[int, ...] = (390, 1280)) -> list[str]:
    """Return what axe-core finds in light and dark on a phone and a desk, and where the page is too wide."""
    page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true })")
    page.evaluate(AXE_SCRIPT)
    faults = []
    for scheme, width in itertools.product(SCHEMES, widths):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        faults += [f"{fault} ({scheme}, {width} px)" for fault in page.evaluate(FAULTS)]
    return faults


@pytest.fixture
def page(chromium: Browser, laptop: Laptop) -> Iterator[Page]:
    """A fresh browser window that knows where the laptop's API is."""
    context = chromium.new_context(base_url=laptop.url)
    context.set_default_timeout(LIMIT_MILLISECONDS)
    yield context.new_page()
    context.close()
