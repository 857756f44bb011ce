"""`make run` in a copy of the tree, and a real chromium in front of it."""

import itertools
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from apps.devstack.personas import BY_KEY
from tests.support.laptop import Laptop
from tests.support.waiting import LIMIT_MILLISECONDS
from tests.support.working_copy import copy_tree

# The options of axe-core. In the dark the same elements have other colours, so only the rules of colour run.
SCHEMES: dict[Literal["light", "dark"], dict[str, object]] = {
    "light": {},
    "dark": {"runOnly": ["color-contrast", "link-in-text-block"]},
}
FAULTS = """
async (options) => {
  const still = new CSSStyleSheet();
  still.replaceSync("* { transition: none !important; animation: none !important; }");
  document.adoptedStyleSheets = [still];
  // The page hears of the scheme with the next frame.
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const { violations } = await axe.run({ resultTypes: ["violations"], ...options });
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


@pytest.fixture(scope="session")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    with running_laptop(tmp_path_factory.mktemp("laptop")) as laptop:
        yield laptop


@contextmanager
def running_laptop(parent: Path) -> Iterator[Laptop]:
    """Start `make run` in a new copy of the tree, and end it."""
    (data := parent / "data").mkdir()
    laptop = Laptop(data, copy_tree(parent / "moped"))
    with laptop.running("--noreload", **UNHURRIED):
        yield laptop


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
        with launched:
            yield launched


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
    for (scheme, options), width in itertools.product(SCHEMES.items(), widths):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        faults += [f"{fault} ({scheme}, {width} px)" for fault in page.evaluate(FAULTS, options)]
    return faults


@contextmanager
def window(chromium: Browser, **options: Any) -> Iterator[Page]:
    """Open a fresh browser window, and close it."""
    with chromium.new_context(**options) as context:
        context.set_default_timeout(LIMIT_MILLISECONDS)
        yield context.new_page()


@pytest.fixture
def page(chromium: Browser, laptop: Laptop) -> Iterator[Page]:
    """A window that knows where the laptop's API is."""
    with window(chromium, base_url=laptop.url) as page:
        yield page
