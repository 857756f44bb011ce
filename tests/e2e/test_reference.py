from __future__ import annotations

import json
import re
import uuid
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import act_as, faults, nothing_blocked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.slow(cost=80, group="laptop")


@pytest.fixture
def reference(page: Page) -> Iterator[Page]:
    """The reference, opened by a signed-in admin; anything its policy blocks fails the test."""
    with nothing_blocked(page):
        page.goto("/docs/")
        act_as(page, "admin")
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


# The rules of axe-core that Swagger UI's own elements break.
SWAGGER_UI_FAULTS = {
    "button-name",
    "heading-order",
    "landmark-unique",
    "nested-interactive",
    "region",
    "scrollable-region-focusable",
    "select-name",
}


class TestAccessibility:
    def test_has_no_faults_but_those_of_swagger_ui(self, reference: Page) -> None:
        expect(execute(operation(reference, "auth", "get_auth_current_user"))).to_contain_text("200")
        for name in ("put_users_user_id", "delete_users_user_id"):
            reference.locator(f"#operations-users-{name} .opblock-summary-control").click()
        reference.get_by_role("button", name="Authorize").click()
        expect(reference.get_by_role("button", name="Close")).to_be_visible()

        seen = faults(reference, widths=(1280,))
        assert [fault for fault in seen if fault.startswith("color-contrast")] == []
        assert {fault.partition(":")[0] for fault in seen} == SWAGGER_UI_FAULTS
