from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from pytest_django.fixtures import Settings

from apps.auth.browser import cookies
from apps.core.http import problems
from moped_api.urls import urlpatterns as served

MIDDLEWARE = "apps.devstack.pages.LaptopMiddleware"


def crash(_request: HttpRequest) -> HttpResponse:
    local_variable = "eleven"
    raise ZeroDivisionError(local_variable)


urlpatterns = [*served, path("crash", crash)]
handler500 = problems.server_error


@pytest.fixture
def laptop(settings: Settings) -> Client:
    """Return a browser at a laptop."""
    settings.STAGE = "laptop"
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, MIDDLEWARE]
    return Client(headers={"accept": "text/html", "origin": "https://testserver"})


class TestLaptopMiddleware:
    def test_shows_the_traceback_of_a_crash_to_a_browser(
        self, laptop: Client, caplog: pytest.LogCaptureFixture
    ) -> None:
        response = laptop.get("/crash")
        assert response.status_code == 500
        assert "ZeroDivisionError" in response.text
        assert "local_variable" in response.text
        assert "style-src 'unsafe-inline'" in response["Content-Security-Policy"]
        assert [record.getMessage() for record in caplog.records].count("crash") == 1

    def test_answers_a_program_as_a_stage_does(self, laptop: Client) -> None:
        response = laptop.get("/crash", headers={"accept": "application/json"})
        assert response.status_code == 500
        assert response.json()["code"] == "internal_error"
        assert "ZeroDivisionError" not in response.text


class TestActAs:
    def act_as(self, laptop: Client, key: str, page: str = "/users/?search=x") -> Any:
        return laptop.post("/act-as", {"persona": key}, secure=True, query_params={"next": page})

    def test_is_offered_on_a_laptop_only(self, laptop: Client, settings: Settings) -> None:
        page = laptop.get("/auth/current_user").text
        assert '<option value="no_roles"' in page
        settings.STAGE = "staging"
        assert "no_roles" not in laptop.get("/auth/current_user").text

    @pytest.mark.emulator
    def test_signs_the_browser_in_and_returns_to_the_page(
        self, laptop: Client, provisioned_personas: Any
    ) -> None:
        response = self.act_as(laptop, "viewer")
        assert (response.status_code, response["Location"]) == (302, "/users/?search=x")
        assert cookies.token_name() in response.cookies
        page = laptop.get("/", secure=True).text
        assert "vera.viewer@austintexas.gov" in page

    @pytest.mark.emulator
    @pytest.mark.parametrize("page", ["/act-as", "/record-file", "http://["])
    def test_leaves_a_page_that_can_only_be_posted(
        self, laptop: Client, provisioned_personas: Any, page: str
    ) -> None:
        target = self.act_as(laptop, "viewer", page)["Location"]
        assert laptop.get(target, secure=True).status_code == 200

    @pytest.mark.emulator
    def test_shows_why_a_persona_cannot_sign_in(self, laptop: Client, provisioned_personas: Any) -> None:
        response = self.act_as(laptop, "outsider")
        assert response.status_code == 403
        assert "No token for otto.outsider@gmail.com" in response.text

    def test_refuses_an_unknown_persona(self, laptop: Client) -> None:
        assert self.act_as(laptop, "stranger").status_code == 400

    def test_refuses_a_form_of_another_site(self, laptop: Client) -> None:
        browser = Client(enforce_csrf_checks=True)
        response = browser.post("/act-as", {"persona": "viewer"}, secure=True)
        assert (response.status_code, response.json()["code"]) == (403, "csrf_failed")

    def test_answers_post_only(self, laptop: Client) -> None:
        assert laptop.get("/act-as").status_code == 405


class TestRecordFile:
    @pytest.mark.parametrize(
        "key",
        ["", "private/project/1/2_07042026120000_0123456789abcdef_another-users.pdf", "private/user/0/x.pdf"],
    )
    def test_refuses_what_the_caller_did_not_upload(self, laptop: Client, key: str) -> None:
        response = laptop.post("/record-file", {"key": key}, secure=True)
        assert response.status_code == 404
        assert "There is no such file" in response.text
