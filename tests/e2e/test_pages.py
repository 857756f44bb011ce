"""The browsable pages, used as a person uses them."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import act_as, faults, nothing_blocked, window
from tests.e2e.test_sign_in import sign_in
from tests.support.laptop import Laptop

pytestmark = pytest.mark.slow(cost=75, group="laptop")

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


@pytest.fixture
def plain(chromium: Browser, admin: Page) -> Iterator[Page]:
    """A window without JavaScript, in which the admin is signed in."""
    state = admin.context.storage_state()
    site = admin.url.removesuffix("/users/")
    with window(chromium, base_url=site, java_script_enabled=False, storage_state=state) as page:
        yield page


class TestWithoutJavaScript:
    def test_creates_and_changes_a_user(self, plain: Page) -> None:
        plain.goto("/users/")
        create_user(plain)

        plain.get_by_role("link", name="Open", exact=True).click()
        form = plain.get_by_role("region", name="PUT")
        form.get_by_label("Title").fill("Senior Planner")
        form.get_by_role("button", name="Send PUT", exact=True).click()
        expect(plain.locator("pre.answer")).to_contain_text('"title": "Senior Planner"')
        plain.get_by_role("link", name="History", exact=True).click()
        expect(plain.get_by_role("table")).to_contain_text("Planner → Senior Planner")

    def test_deactivates_and_activates_a_user(self, plain: Page) -> None:
        plain.goto("/users/")
        email = create_user(plain)

        plain.get_by_role("link", name="Open", exact=True).click()
        plain.get_by_text("Delete…").click()
        expect(plain.get_by_role("main")).to_contain_text(f"Deactivate Jane Doe ({email})?")
        plain.get_by_role("button", name="Yes").click()
        expect(plain.get_by_text("HTTP 204")).to_be_visible()

        plain.get_by_role("link", name="Back to User List").click()
        plain.get_by_label("Search").fill(email)
        plain.get_by_role("button", name="Show").click()
        plain.get_by_role("link", name="Activate:").click()
        form = plain.get_by_role("region", name="PUT")
        expect(form.get_by_label("Email")).to_have_value(email)
        expect(form.get_by_label("moped-editor")).to_be_checked()
        form.get_by_label("Password").fill(PASSWORD)
        form.get_by_role("button", name="Send PUT", exact=True).click()
        expect(plain.locator("pre.answer")).to_contain_text('"is_deleted": false')

    def test_offers_only_what_works(self, plain: Page) -> None:
        plain.goto("/files/request-signature?file=plan.pdf")

        buttons = plain.get_by_role("main").get_by_role("button").all_inner_texts()
        assert buttons == ["Sign", "OPTIONS"]


class TestPhone:
    def test_shows_people_first_and_filters_on_demand(self, admin: Page) -> None:
        search = admin.get_by_label("Search")
        expect(search).to_be_visible()
        admin.set_viewport_size({"width": 390, "height": 844})
        expect(search).to_be_hidden()
        expect(admin.get_by_role("row", name="Admin")).to_be_in_viewport()
        admin.get_by_text("Filters").click()
        expect(search).to_be_visible()


class TestTools:
    def test_copy_a_command_without_a_token(self, admin: Page) -> None:
        admin.context.grant_permissions(["clipboard-read", "clipboard-write"])
        admin.get_by_role("button", name="Copy as curl").click()
        expect(admin.get_by_text("Copied")).to_be_visible()
        copied = admin.evaluate("navigator.clipboard.readText()")
        assert copied == f'curl -H "Authorization: Bearer $MOPED_TOKEN" {admin.url}'


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

    def test_of_a_project_are_recorded_before_a_download(self, admin: Page) -> None:
        admin.goto("/files/request-signature")
        admin.get_by_label("Project id").first.fill("1")
        upload(admin, "plan.docx", b"a plan")

        expect(admin.get_by_text("Uploaded as")).to_contain_text("The Moped editor records a file")
        expect(admin.get_by_role("link", name="Download")).to_have_count(0)
        admin.get_by_role("button", name="Record the file").click()
        with admin.expect_download() as downloading:
            admin.get_by_role("link", name="Download the file").click()
        assert Path(downloading.value.path()).read_bytes() == b"a plan"

    def test_say_why_they_are_refused(self, admin: Page) -> None:
        admin.goto("/files/request-signature")
        upload(admin, "no extension", b"")

        expect(admin.locator("#upload-status")).to_contain_text("request")


class TestAccessibility:
    """What axe-core says of every kind of page; what Swagger UI brings is in test_reference.py."""

    def test_has_no_faults_when_signed_out(self, page: Page) -> None:
        for path in ("/", "/users/", "/nowhere"):
            page.goto(path)
            assert faults(page) == [], path
        sign_in(page, "outsider")
        expect(page.get_by_role("button", name="Sign in as someone else")).to_be_visible()
        assert faults(page) == []

    def test_has_no_faults_when_signed_in(self, admin: Page) -> None:
        for path in (
            "/auth/current_user",
            "/users/?limit=none",
            "/users/activate/",
            "/files/request-signature?file=plan.pdf",
            "/users/",
        ):
            admin.goto(path)
            assert faults(admin) == [], path
        admin.get_by_role("button", name="Send POST", exact=True).click()
        expect(admin.get_by_role("alert")).to_be_visible()
        assert faults(admin) == []

    def test_has_no_faults_on_the_pages_of_a_user(self, admin: Page) -> None:
        create_user(admin)
        admin.get_by_role("link", name="Open", exact=True).click()
        assert faults(admin) == []
        admin.get_by_role("link", name="History", exact=True).click()
        expect(admin.get_by_role("table")).to_contain_text("Roles: (empty) → moped-editor")
        assert faults(admin) == []


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


class TestStaticFiles:
    def test_are_served_whole_after_an_edit(self, page: Page, laptop: Laptop) -> None:
        style = laptop.folder / "apps/core/static/moped/moped.css"
        style.write_text(f"{style.read_text()}/* edited */")

        assert page.request.get("/static/moped/moped.css").text().endswith("/* edited */")
