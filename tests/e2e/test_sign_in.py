import re

import pytest
from playwright.sync_api import Page, expect

from apps.devstack.personas import BY_KEY, PASSWORD
from tests.support import processes
from tests.support.laptop import Laptop

pytestmark = pytest.mark.slow(cost=25, group="laptop")


def sign_in(page: Page, persona: str) -> None:
    """From a page of ours through the hosted sign-in and back."""
    page.get_by_role("link", name="Sign in").click()
    page.locator("input[name=username]:visible").fill(BY_KEY[persona].email)
    page.locator("input[name=password]:visible").fill(PASSWORD)
    page.locator("button[type=submit]:visible, input[type=submit]:visible").first.click()


class TestSignIn:
    def test_leads_from_a_page_back_to_it_and_out(self, page: Page, laptop: Laptop) -> None:
        page.goto("/auth/current_user?from=test")
        expect(page.get_by_text("HTTP 401")).to_be_visible()

        sign_in(page, "admin")

        expect(page).to_have_url(f"{laptop.url}/auth/current_user?from=test")
        expect(page.get_by_text("HTTP 200")).to_be_visible()
        expect(page.get_by_role("navigation", name="Account")).to_contain_text("ada.admin@austintexas.gov")
        expect(page.get_by_role("navigation", name="Account")).to_contain_text("moped-admin")
        expect(page.locator("pre.answer")).to_contain_text('"x-hasura-user-db-id"')

        token = next(cookie for cookie in page.context.cookies() if cookie["name"] == "moped_id_token")
        assert (token["httpOnly"], token["sameSite"]) == (True, "Lax")
        assert token["value"] not in page.content()
        assert page.evaluate("document.cookie") == ""

        page.get_by_role("button", name="Sign out").click()

        expect(page).to_have_url(re.compile(f"^{laptop.url}/?$"))
        page.goto("/auth/current_user")
        expect(page.get_by_text("HTTP 401")).to_be_visible()

    def test_says_why_the_trigger_denied_it_and_takes_another_person(self, page: Page) -> None:
        page.goto("/auth/current_user")

        sign_in(page, "outsider")

        expect(page.get_by_role("main")).to_contain_text("You have no Moped account, or it was deactivated.")
        expect(page.get_by_role("main")).to_contain_text("ask a Moped administrator")
        expect(page.get_by_text("Sign out")).to_have_count(0)

        page.get_by_role("button", name="Sign in as someone else").click()
        sign_in(page, "viewer")

        expect(page.get_by_role("navigation", name="Account")).to_contain_text(BY_KEY["viewer"].email)


class TestWelcome:
    def test_prints_a_curl_line_that_works(self, laptop: Laptop) -> None:
        line = re.search(r"^ *(curl .*)$", laptop.printed(), re.MULTILINE)
        assert line

        command = line[1].replace("curl ", "curl -sf ", 1)
        run = processes.run("bash", "-c", command, folder=laptop.folder, environment=laptop.variables)

        assert "eddie.editor@austintexas.gov" in run.stdout, run.stderr
