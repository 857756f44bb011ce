from __future__ import annotations

import json
import re
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import nothing_blocked
from tests.e2e.test_sign_in import sign_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.slow(cost=60, group="laptop")


@pytest.fixture
def reference(page: Page) -> Iterator[Page]:
    """The reference, opened by a signed-in admin; anything its policy blocks fails the test."""
    with nothing_blocked(page):
        page.goto("/docs/")
        sign_in(page, "admin")
        expect(page.get_by_role("button", name="Authorize")).to_be_visible()
        yield page


def operation(page: Page, tag: str, operation_id: str) -> Locator:
    """Open an operation and make it ready to be tried."""
    block = page.locator(f"#operations-{tag}-{operation_id}")
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    return block


def execute(block: Locator) -> Locator:
    """Send the request and return the answer's status."""
    block.get_by_role("button", name="Execute").click()
    return block.locator(".live-responses-table .response-col_status").last


class TestReference:
    def test_tries_a_route_out_with_the_cookie(self, reference: Page) -> None:
        block = operation(reference, "auth", "get_auth_current_user")

        expect(execute(block)).to_contain_text("200")
        expect(block.locator(".live-responses-table")).to_contain_text("ada.admin@austintexas.gov")

    def test_creates_a_user_and_reads_why_a_second_fails(self, reference: Page) -> None:
        block = operation(reference, "users", "post_users")
        new_user = json.loads(block.locator("textarea").first.input_value())
        new_user["email"] = f"{uuid.uuid4().hex[:12]}@austintexas.gov"
        block.locator("textarea").first.fill(json.dumps(new_user))

        expect(execute(block)).to_contain_text("201")
        block.get_by_role("button", name="Clear").click()
        expect(execute(block)).to_contain_text("409")
        expect(block.locator(".live-responses-table")).to_contain_text("user_exists")

    @pytest.mark.parametrize(
        ("tag", "operation_id", "header"),
        [("auth", "get_auth_current_user2", ["Bearer <token>"]), ("health", "get_health_live", [])],
    )
    def test_shows_commands_with_a_placeholder(
        self, reference: Page, tag: str, operation_id: str, header: list[str]
    ) -> None:
        reference.get_by_role("button", name="Authorize").first.click()
        reference.get_by_label("auth-bearer-value").fill("a-pasted-token")
        reference.get_by_role("button", name="Apply credentials").click()
        reference.get_by_role("button", name="Close").click()
        block = operation(reference, tag, operation_id)
        expect(execute(block)).to_contain_text("401" if header else "200")

        command = block.locator(".curl-command").inner_text()

        assert re.findall("Authorization: (.*?)'", command) == header
        assert "X-CSRFToken" not in command

    def test_keeps_the_token_out_of_the_page(self, reference: Page) -> None:
        token = next(cookie for cookie in reference.context.cookies() if cookie["name"] == "moped_id_token")

        assert token["value"] not in reference.content()


CONTRAST = (Path(__file__).parent / "contrast.js").read_text()


class TestLooks:
    """Pictures to look at, in light and dark and at the width of a phone."""

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_can_be_read(self, reference: Page, scheme: Literal["light", "dark"]) -> None:
        reference.emulate_media(color_scheme=scheme)
        expect(execute(operation(reference, "auth", "get_auth_current_user"))).to_contain_text("200")
        for name in ("post_users", "put_users_user_id", "delete_users_user_id"):
            reference.locator(f"#operations-users-{name} .opblock-summary-control").click()
        reference.get_by_role("button", name="Authorize").click()
        expect(reference.get_by_role("button", name="Close")).to_be_visible()

        assert reference.evaluate(CONTRAST) == []

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("path", ["/auth/current_user", "/nowhere"])
    def test_can_be_read_on_every_page(self, page: Page, path: str, scheme: Literal["light", "dark"]) -> None:
        page.emulate_media(color_scheme=scheme)
        page.goto(path)

        assert page.evaluate(CONTRAST) == []

    @pytest.mark.parametrize("width", [390, 1200], ids=["phone", "desk"])
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("path", ["/auth/current_user", "/docs/"])
    def test_fit_the_window(self, page: Page, path: str, scheme: str, width: int, tmp_path: object) -> None:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(path, wait_until="networkidle")
        page.screenshot(path=f"{tmp_path}/page.png")

        assert page.evaluate("document.documentElement.scrollWidth") <= width

    def test_are_usable_by_keyboard(self, page: Page) -> None:
        page.goto("/auth/current_user")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#content")).to_be_focused()
