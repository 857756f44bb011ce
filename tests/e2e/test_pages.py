"""The browsable pages, used as a person uses them."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import nothing_blocked
from tests.e2e.test_sign_in import sign_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow(cost=40, group="laptop")

CONTRAST = (Path(__file__).parent / "contrast.js").read_text()
PASSWORD = "Bicycle-Lanes-42"
OPEN_ALL = "document.querySelectorAll('details').forEach((details) => { details.open = true })"
# Every control has a label, every id is there once, and every reference leads to an element.
FAULTS = """
() => {
  const named = (control) => control.labels?.length || control.ariaLabel || control.type === "hidden";
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  const targets = [...document.querySelectorAll("[aria-describedby], [aria-labelledby]")].flatMap((element) =>
    [element.getAttribute("aria-describedby"), element.getAttribute("aria-labelledby")].filter(Boolean));
  return [
    ...[...document.querySelectorAll("input, select, textarea")].filter((control) => !named(control))
      .map((control) => `no label: ${control.name}`),
    ...ids.filter((id, place) => ids.indexOf(id) !== place).map((id) => `twice: ${id}`),
    ...targets.filter((target) => !ids.includes(target)).map((target) => `not there: ${target}`),
  ];
}
"""


@pytest.fixture
def admin(page: Page) -> Iterator[Page]:
    """The list of users, opened by a signed-in admin; anything that the policy blocks fails the test."""
    with nothing_blocked(page):
        page.goto("/users/")
        sign_in(page, "admin")
        expect(page.get_by_role("heading", name="User List")).to_be_visible()
        yield page


def create_user(page: Page) -> str:
    """Fill in the form for a new user and return the address."""
    email = f"{uuid.uuid4().hex[:12]}@austintexas.gov"
    form = page.get_by_role("region", name="POST")
    for label, value in (
        ("Email", email),
        ("First name", "Jane"),
        ("Last name", "Doe"),
        ("Title", "Planner"),
        ("Password", PASSWORD),
    ):
        form.get_by_label(label).fill(value)
    form.get_by_label("Workgroup").select_option(index=1)
    form.get_by_label("moped-editor").check()
    form.get_by_role("button", name="Send POST", exact=True).click()
    expect(page.get_by_text("HTTP 201")).to_be_visible()
    return email


def deactivate(page: Page, email: str) -> None:
    """Delete the user whose creation the page shows."""
    page.get_by_role("link", name="Open", exact=True).click()
    page.get_by_text("Delete…").click()
    expect(page.get_by_role("main")).to_contain_text(f"Deactivate Jane Doe ({email})?")
    page.get_by_role("button", name="Yes").click()
    expect(page.get_by_text("HTTP 204")).to_be_visible()


class TestUsers:
    def test_are_created_and_edited(self, admin: Page) -> None:
        create_user(admin)

        admin.get_by_role("link", name="Open", exact=True).click()
        admin.get_by_role("region", name="PUT").get_by_label("Title").fill("Senior Planner")
        admin.get_by_role("button", name="Send PUT", exact=True).click()
        expect(admin.locator("pre.answer")).to_contain_text('"title": "Senior Planner"')

        admin.get_by_role("link", name="History", exact=True).click()
        expect(admin.get_by_role("table")).to_contain_text("Senior Planner")

    def test_are_deactivated_and_activated(self, admin: Page) -> None:
        email = create_user(admin)
        deactivate(admin, email)

        admin.goto("/users/")
        admin.get_by_label("Search").fill(email)
        admin.get_by_role("button", name="Show").click()
        admin.get_by_role("link", name="Activate:").click()
        expect(admin.get_by_text("HTTP 405")).to_have_count(0)
        form = admin.get_by_role("region", name="PUT")
        expect(form.get_by_label("Email")).to_have_value(email)
        form.get_by_label("moped-viewer").check()
        form.get_by_label("Password").fill(PASSWORD)
        form.get_by_role("button", name="Send PUT", exact=True).click()
        expect(admin.locator("pre.answer")).to_contain_text('"is_deleted": false')

    def test_show_messages_beside_the_fields(self, admin: Page) -> None:
        form = admin.get_by_role("region", name="POST")
        form.get_by_label("Email").fill("nowhere")
        form.get_by_role("button", name="Send POST", exact=True).click()

        expect(admin.get_by_text("HTTP 400")).to_be_visible()
        expect(form.get_by_label("Email")).to_have_value("nowhere")
        expect(form.get_by_label("Email")).to_have_attribute("aria-invalid", "true")
        expect(form.locator("#POST-email-about")).to_contain_text("must be an email address")
        expect(form.locator("#POST-roles-about")).to_contain_text("min length is 1")
        expect(admin.get_by_role("alert")).to_contain_text("request")

    def test_are_filtered_and_paged(self, admin: Page) -> None:
        admin.get_by_label("Limit").fill("1")
        admin.get_by_label("Active").select_option("active")
        admin.get_by_role("button", name="Show").click()

        pages = admin.get_by_role("navigation", name="Pages")
        expect(pages).to_contain_text("1 to 1 of")
        pages.get_by_role("link", name="Next").click()
        expect(pages).to_contain_text("2 to 2 of")
        expect(admin.get_by_label("Active")).to_have_value("true")
        pages.get_by_role("link", name="Previous").click()
        expect(pages).to_contain_text("1 to 1 of")

    def test_are_sent_as_raw_data(self, admin: Page) -> None:
        form = admin.get_by_role("region", name="POST")
        form.get_by_text("Raw data").click()
        body = form.get_by_label("Body of the POST request, as JSON")
        body.fill(body.input_value().replace("jane.doe", uuid.uuid4().hex[:12]))
        form.get_by_role("button", name="Send raw POST").click()

        expect(admin.get_by_text("HTTP 201")).to_be_visible()


class TestRefusals:
    def test_say_why(self, page: Page) -> None:
        page.goto("/users/")
        sign_in(page, "viewer")

        expect(page.get_by_role("region", name="POST")).to_contain_text(
            "You need the role moped-admin for this."
        )
        expect(page.get_by_role("button", name="Send POST")).to_have_count(0)


class TestWithoutJavaScript:
    def test_creates_a_user(self, chromium: Browser, admin: Page) -> None:
        context = chromium.new_context(
            base_url=admin.url.removesuffix("/users/"),
            java_script_enabled=False,
            storage_state=admin.context.storage_state(),
        )
        plain = context.new_page()
        plain.goto("/users/")

        create_user(plain)
        context.close()


class TestTools:
    def test_show_options_json_and_curl(self, admin: Page) -> None:
        admin.context.grant_permissions(["clipboard-read", "clipboard-write"])
        admin.get_by_role("button", name="Copy as curl").click()
        expect(admin.get_by_text("Copied")).to_be_visible()
        copied = admin.evaluate("navigator.clipboard.readText()")
        assert copied == f'curl -H "Authorization: Bearer $MOPED_TOKEN" {admin.url}'

        admin.get_by_role("button", name="OPTIONS").click()
        expect(admin.get_by_text("HTTP 200")).to_be_visible()
        admin.get_by_role("link", name="Back to User List").click()
        admin.get_by_role("link", name="Get as JSON").click()
        expect(admin.locator("body")).to_contain_text('{"count":')

    def test_open_a_route_with_a_typed_parameter(self, admin: Page) -> None:
        routes = admin.get_by_role("navigation", name="Routes")
        routes.get_by_text("/users/{user_id}", exact=True).click()
        routes.locator("details[open]").get_by_label("user_id").fill("none")
        routes.locator("details[open]").get_by_role("button", name="Open", exact=True).click()

        expect(admin.get_by_text("HTTP 404")).to_be_visible()
        expect(admin.get_by_role("alert")).to_contain_text("user_not_found")


def upload(page: Page, name: str, content: bytes) -> None:
    """Pick a file on the page of uploads and upload it."""
    page.goto("/files/request-signature")
    page.get_by_label("File required").last.set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    )
    page.get_by_role("button", name="Upload").click()


class TestFiles:
    def test_are_uploaded_and_downloaded(self, admin: Page) -> None:
        upload(admin, "plan.docx", b"a plan")
        expect(admin.get_by_text("Uploaded as")).to_contain_text("plan.docx")
        admin.get_by_role("link", name="Download", exact=True).click()

        with admin.expect_download() as downloading:
            admin.get_by_role("link", name="Download the file").click()
        assert Path(downloading.value.path()).read_bytes() == b"a plan"

    def test_say_why_they_are_refused(self, admin: Page) -> None:
        upload(admin, "no extension", b"")

        expect(admin.locator("#upload-status")).to_contain_text("request")


class TestLooks:
    @pytest.mark.parametrize("width", [390, 1280], ids=["phone", "desk"])
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_fit_and_can_be_read(self, admin: Page, scheme: Literal["light", "dark"], width: int) -> None:
        admin.emulate_media(color_scheme=scheme)
        admin.set_viewport_size({"width": width, "height": 800})
        for path in ("/users/", "/users/activate/", "/files/request-signature"):
            admin.goto(path)
            admin.evaluate(
                "document.querySelectorAll('details').forEach((details) => { details.open = true })"
            )

            assert admin.evaluate("document.documentElement.scrollWidth") <= width
            assert admin.evaluate(CONTRAST) == []
            assert admin.evaluate(FAULTS) == []
