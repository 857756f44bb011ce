"""The browsable pages, used as a person uses them."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import act_as, faults, nothing_blocked
from tests.e2e.test_sign_in import sign_in
from tests.support.waiting import LIMIT_MILLISECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from tests.support.laptop import Laptop

pytestmark = pytest.mark.slow(cost=105, group="laptop")

PASSWORD = "Bicycle-Lanes-42"


@pytest.fixture
def admin(page: Page) -> Iterator[Page]:
    """The list of users, opened by a signed-in admin; anything that the policy blocks fails the test."""
    with nothing_blocked(page):
        page.goto("/users/")
        act_as(page, "admin")
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
    page.get_by_role("link", name="Back to User List").click()


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

    def test_keeps_raw_data_that_failed(self, admin: Page) -> None:
        form = admin.get_by_role("region", name="POST")
        form.get_by_text("Raw data").click()
        body = form.get_by_label("Body of the POST request, as JSON")
        body.fill("{")
        form.get_by_role("button", name="Send raw POST").click()

        expect(admin.get_by_role("alert")).to_contain_text("not valid JSON")
        expect(body).to_be_visible()
        expect(body).to_have_value("{")


class TestRefusals:
    def test_say_why(self, page: Page) -> None:
        page.goto("/users/")
        act_as(page, "viewer")

        expect(page.get_by_role("region", name="POST")).to_contain_text(
            "You need the role moped-admin for this."
        )
        expect(page.get_by_role("button", name="Send POST")).to_have_count(0)

    def test_names_the_own_account(self, admin: Page) -> None:
        admin.get_by_role("link", name="Open: Admin Ada").click()

        expect(admin.get_by_role("region", name="DELETE")).to_contain_text("cannot remove your own account")
        expect(admin.get_by_role("button", name="Send PUT", exact=True)).to_be_visible()


class TestWithoutJavaScript:
    @pytest.fixture
    def plain(self, chromium: Browser, admin: Page) -> Iterator[Page]:
        """A window without JavaScript, in which the admin is signed in."""
        context = chromium.new_context(
            base_url=admin.url.removesuffix("/users/"),
            java_script_enabled=False,
            storage_state=admin.context.storage_state(),
        )
        context.set_default_timeout(LIMIT_MILLISECONDS)
        yield context.new_page()
        context.close()

    def test_creates_a_user(self, plain: Page) -> None:
        plain.goto("/users/")

        create_user(plain)

    def test_offers_only_what_works(self, plain: Page) -> None:
        plain.goto("/files/request-signature?file=plan.pdf")

        buttons = plain.get_by_role("main").get_by_role("button").all_inner_texts()
        assert buttons == ["Sign", "OPTIONS"]


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
    page.get_by_label("File required").first.set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    )
    page.get_by_role("button", name="Upload").click()


class TestFiles:
    def test_are_uploaded_and_downloaded(self, admin: Page) -> None:
        admin.goto("/files/request-signature")
        upload(admin, "plan.docx", b"a plan")
        expect(admin.get_by_text("Uploaded as")).to_contain_text("plan.docx")
        admin.get_by_role("link", name="Download", exact=True).click()

        with admin.expect_download() as downloading:
            admin.get_by_role("link", name="Download the file").click()
        assert Path(downloading.value.path()).read_bytes() == b"a plan"

    def test_of_a_project_are_downloaded_when_it_lists_them(self, admin: Page) -> None:
        admin.goto("/files/request-signature")
        admin.get_by_label("Project id").first.fill("1")
        upload(admin, "plan.pdf", b"a plan")

        expect(admin.get_by_text("Uploaded as")).to_contain_text("when the project lists it")
        expect(admin.get_by_role("link", name="Download", exact=True)).to_have_count(0)

    def test_say_why_they_are_refused(self, admin: Page) -> None:
        admin.goto("/files/request-signature")
        upload(admin, "no extension", b"")

        expect(admin.locator("#upload-status")).to_contain_text("request")


class TestAccessibility:
    """What axe-core says of every kind of page; what Swagger UI brings is in test_reference.py."""

    @pytest.mark.parametrize("path", ["/", "/users/", "/nowhere"])
    def test_has_no_faults_when_signed_out(self, page: Page, path: str) -> None:
        page.goto(path)

        assert faults(page) == []

    @pytest.mark.parametrize(
        "path",
        [
            "/auth/current_user",
            "/users/",
            "/users/?limit=none",
            "/users/activate/",
            "/files/request-signature?file=plan.pdf",
        ],
    )
    def test_has_no_faults_when_signed_in(self, admin: Page, path: str) -> None:
        admin.goto(path)

        assert faults(admin) == []

    def test_has_no_faults_on_the_pages_of_a_user(self, admin: Page) -> None:
        create_user(admin)
        admin.get_by_role("link", name="Open", exact=True).click()
        assert faults(admin) == []
        admin.get_by_role("link", name="History", exact=True).click()
        expect(admin.get_by_role("table")).to_contain_text("Roles: (empty) → moped-editor")
        assert faults(admin) == []

    def test_has_no_faults_after_a_refusal(self, admin: Page) -> None:
        admin.get_by_role("button", name="Send POST", exact=True).click()
        expect(admin.get_by_role("alert")).to_be_visible()

        assert faults(admin) == []

    def test_has_no_faults_when_the_sign_in_failed(self, page: Page) -> None:
        page.goto("/users/")
        sign_in(page, "outsider")
        expect(page.get_by_role("button", name="Sign in as someone else")).to_be_visible()

        assert faults(page) == []


class TestKeyboard:
    def test_skips_to_the_content(self, page: Page) -> None:
        page.goto("/")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        page.keyboard.press("Enter")

        expect(page.locator("#content")).to_be_focused()

    def test_acts_as_a_persona(self, page: Page) -> None:
        page.goto("/users/?limit=1")
        page.get_by_role("link", name="Sign in").focus()
        page.keyboard.press("Tab")
        expect(page.get_by_label("Persona")).to_be_focused()
        page.keyboard.press("v")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")

        expect(page.locator(".who")).to_contain_text("vera.viewer@austintexas.gov")
        expect(page.get_by_label("Persona")).to_have_value("viewer")
        assert page.url.endswith("/users/?limit=1")

    def test_creates_a_user(self, admin: Page) -> None:
        email = f"{uuid.uuid4().hex[:12]}@austintexas.gov"
        admin.get_by_role("region", name="POST").get_by_label("Email").focus()
        for keys in (email, "Jane", "Doe", "Planner", "A"):  # A is the first letter of a workgroup
            admin.keyboard.type(keys)
            admin.keyboard.press("Tab")
        admin.keyboard.press("Space")
        for _ in range(5):
            admin.keyboard.press("Tab")
        admin.keyboard.type(PASSWORD)
        admin.keyboard.press("Enter")

        expect(admin.get_by_text("HTTP 201")).to_be_visible()
        expect(admin.locator("pre.answer")).to_contain_text(email)


class TestStaticFiles:
    def test_are_served_whole_after_an_edit(self, page: Page, laptop: Laptop) -> None:
        style = laptop.folder / "apps/core/static/moped/moped.css"
        style.write_text(f"{style.read_text()}/* edited */")

        assert page.request.get("/static/moped/moped.css").text().endswith("/* edited */")
