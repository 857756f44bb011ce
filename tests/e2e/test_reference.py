import json
import re
import uuid
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import act_as, faults, nothing_blocked

pytestmark = pytest.mark.slow(cost=40, group="laptop")


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
    def test_tries_routes_out_with_the_cookie(self, reference: Page) -> None:
        token = next(cookie for cookie in reference.context.cookies() if cookie["name"] == "moped_id_token")
        block = operation(reference, "users", "post_users")
        new_user = json.loads(block.locator("textarea").first.input_value())
        new_user["email"] = f"{uuid.uuid4().hex[:12]}@austintexas.gov"
        block.locator("textarea").first.fill(json.dumps(new_user))

        expect(execute(block)).to_contain_text("201")
        block.get_by_role("button", name="Clear").click()
        expect(execute(block)).to_contain_text("409")
        expect(block.locator(".live-responses-table")).to_contain_text("user_exists")
        assert token["value"] not in reference.content()

    def test_shows_commands_with_a_placeholder(self, reference: Page) -> None:
        reference.get_by_role("button", name="Authorize").first.click()
        reference.get_by_label("auth-bearer-value").fill("a-pasted-token")
        reference.get_by_role("button", name="Apply credentials").click()
        reference.get_by_role("button", name="Close").click()

        for tag, operation_id, status, headers in (
            ("auth", "get_auth_current_user2", "401", ["Bearer <token>"]),
            ("health", "get_health_live", "200", []),
        ):
            block = operation(reference, tag, operation_id)
            expect(execute(block)).to_contain_text(status)
            command = block.locator(".curl-command").inner_text()
            assert re.findall("Authorization: (.*?)'", command) == headers
            assert "X-CSRFToken" not in command


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
# One answer of each operation and two schemas are left: the others look the same.
HIDE_REPEATED = """
for (const each of document.querySelectorAll("tr.response:nth-child(n+2), .model-container:nth-child(n+3)"))
  each.style.display = "none";
"""


class TestAccessibility:
    def test_has_no_faults_but_those_of_swagger_ui(self, reference: Page) -> None:
        block = operation(reference, "auth", "get_auth_current_user")
        expect(execute(block)).to_contain_text("200")
        expect(block.locator(".live-responses-table")).to_contain_text("ada.admin@austintexas.gov")
        for name in ("put_users_user_id", "delete_users_user_id"):
            reference.locator(f"#operations-users-{name} .opblock-summary-control").click()
        reference.get_by_role("button", name="Authorize").click()
        expect(reference.get_by_role("button", name="Close")).to_be_visible()
        reference.evaluate(HIDE_REPEATED)

        seen = faults(reference, widths=(1280,))
        assert [fault for fault in seen if fault.startswith("color-contrast")] == []
        assert {fault.partition(":")[0] for fault in seen} == SWAGGER_UI_FAULTS
