import re

import pytest
from django.test import RequestFactory
from django.urls import resolve
from pytest_django.fixtures import Settings
from rest_framework.request import Request
from rest_framework.test import APIClient

from apps.auth.authentication import CognitoAuthentication, CookieAuthentication
from apps.auth.tokens import key_cache
from apps.auth.tokens.errors import KeysUnavailableError
from apps.core.http import routes
from apps.core.http.problems import WrappedMopedError
from tests.conftest import Caller
from tests.core.test_environment import read_setting
from tests.support.token_factory import USER_ID, Signer

ROUTE = "/auth/current_user2"


class TestHeader:
    @pytest.mark.parametrize("header", ["Bearer {token}", "bearer {token}", "BEARER  {token} \t"])
    def test_may_have_any_case_and_the_spaces_of_http(
        self, api_client: APIClient, signer: Signer, header: str
    ) -> None:
        response = api_client.get(ROUTE, headers={"authorization": header.replace("{token}", signer.token())})

        assert response.status_code == 200

    @pytest.mark.parametrize(
        "header", ["Bearer {space}{token}", "Bearer {token}{space}", "Bearer{space}{token}"]
    )
    def test_has_no_other_whitespace(self, api_client: APIClient, signer: Signer, header: str) -> None:
        for space in ("\u00a0", "\u3000", "\n", "\r\n", "\v", "\f", "\x1c", "\x85"):
            text = header.replace("{token}", signer.token()).replace("{space}", space)

            response = api_client.get(ROUTE, headers={"authorization": text})

            assert (response.status_code, response.json()["code"]) == (401, "token_malformed")

    @pytest.mark.parametrize(
        "header", ["Bearer", "Bearer {token} {token}", "Token {token}", "{token}", "Bearer \u00e9\u20ac"]
    )
    def test_is_refused_unless_it_is_one_bearer_token(
        self, api_client: APIClient, signer: Signer, header: str
    ) -> None:
        response = api_client.get(ROUTE, headers={"authorization": header.replace("{token}", signer.token())})

        assert response.status_code == 401
        assert response.json()["code"] in {"token_malformed", "token_missing"}
        assert response.headers["WWW-Authenticate"].startswith('Bearer realm="moped"')

    def test_is_not_needed_where_everyone_may_come(self, api_client: APIClient) -> None:
        assert api_client.get("/auth/", headers={"authorization": "Bearer null"}).status_code == 200


class TestHead:
    def test_is_answered_like_get(self, calling: Caller) -> None:
        assert calling().head(ROUTE).status_code == 200

    def test_is_a_method_of_every_get_route(self) -> None:
        views = [resolve(re.sub(r"<[^>]+>", "x", route.path)).func for route in routes.listing()]

        names = [view.cls.http_method_names for view in views if hasattr(view.cls, "get")]  # type: ignore[attr-defined]
        assert len(names) > 5
        assert all("head" in allowed for allowed in names)


class TestCookie:
    NAME = "__Host-moped_id_token"

    @pytest.fixture
    def browser(self, signer: Signer) -> APIClient:
        client = APIClient(enforce_csrf_checks=True)
        client.cookies[self.NAME] = signer.token()
        return client

    def test_lets_a_genuine_token_in_unless_there_is_a_header(self, browser: APIClient) -> None:
        assert browser.get(ROUTE).json()["cognito:username"] == USER_ID
        assert browser.get(ROUTE, headers={"authorization": "Bearer null"}).status_code == 401

    def test_that_has_expired_offers_a_new_sign_in(self, api_client: APIClient, signer: Signer) -> None:
        api_client.cookies[self.NAME] = signer.token(exp=1)
        assert api_client.get(ROUTE).json()["code"] == "token_missing"

        response = api_client.get(ROUTE, headers={"accept": "text/html"})

        assert response.status_code == 401
        assert 'href="/auth/sign-in?next=/auth/current_user2"' in response.text

    @pytest.mark.parametrize("planted", ["\u2000{name}={token}", "{name}={token}"])
    def test_that_a_sibling_host_planted_changes_no_caller(
        self, api_client: APIClient, signer: Signer, planted: str
    ) -> None:
        own = f"{self.NAME}={signer.token()}"
        other = planted.format(name=self.NAME, token=signer.token(email="attacker@austintexas.gov"))

        for cookies in (f"{own}; {other}", f"{other}; {own}"):
            response = api_client.get(ROUTE, headers={"cookie": cookies.encode().decode("latin-1")})

            assert response.json().get("email") in {"jane.doe@austintexas.gov", None}

    def test_is_not_read_where_a_stage_offers_no_sign_in(self) -> None:
        classes = 'REST_FRAMEWORK["DEFAULT_AUTHENTICATION_CLASSES"]'

        assert "CookieAuthentication" not in read_setting(classes)


class TestWithoutKeys:
    """No key of the pool is known."""

    @pytest.fixture(params=["header", "cookie"])
    def credentials(
        self, request: pytest.FixtureRequest, signer: Signer, settings: Settings
    ) -> dict[str, str]:
        """The headers of a caller with a genuine token."""
        settings.COGNITO_JWKS_URL = "http://127.0.0.1:9/jwks.json"
        key_cache.reset()
        if request.param == "header":
            return {"authorization": f"Bearer {signer.token()}"}
        return {"cookie": f"{TestCookie.NAME}={signer.token()}"}

    @pytest.mark.parametrize("accept", ["application/json", "text/html"])
    def test_the_answer_is_503(self, api_client: APIClient, credentials: dict[str, str], accept: str) -> None:
        response = api_client.get(ROUTE, headers={"accept": accept, **credentials})

        assert response.status_code == 503
        assert "keys_unavailable" in response.text
        assert int(response.headers["Retry-After"]) > 0

    def test_the_caller_is_anonymous(self, credentials: dict[str, str]) -> None:
        http_request = RequestFactory().get(ROUTE, headers=credentials)
        request = Request(http_request, authenticators=[CognitoAuthentication(), CookieAuthentication()])

        with pytest.raises(WrappedMopedError) as refusal:
            request.user.is_authenticated  # noqa: B018 (reading it authenticates)

        assert isinstance(refusal.value.error, KeysUnavailableError)
        assert not request.user.is_authenticated  # DRF's renderers and throttles may ask again


@pytest.mark.urls("tests.core.http.broken_urls")
class TestUnsafeMethodByCookie:
    ORIGIN = "https://testserver"

    @pytest.fixture
    def page(self, signer: Signer) -> dict[str, str]:
        """What a page of ours sends with a form."""
        client = APIClient()
        client.cookies["__Host-moped_id_token"] = signer.token()
        client.get("/auth/current_user", headers={"accept": "text/html"})
        secret = client.cookies["__Host-csrftoken"].value
        return {
            "cookie": f"__Host-moped_id_token={signer.token()}; __Host-csrftoken={secret}",
            "token": secret,
        }

    def post(self, page: dict[str, str], origin: str | None, token: str | None) -> tuple[int, str]:
        headers = {"cookie": page["cookie"], "origin": origin, "x-csrftoken": token}
        response = APIClient(enforce_csrf_checks=True).post(
            "/signed", {}, secure=True, headers={name: value for name, value in headers.items() if value}
        )
        return response.status_code, response.json().get("code", "")

    def test_is_let_in_from_a_page_of_ours(self, page: dict[str, str]) -> None:
        assert self.post(page, self.ORIGIN, page["token"]) == (200, "")

    @pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "http://testserver"])
    def test_is_refused_from_elsewhere(self, page: dict[str, str], origin: str | None) -> None:
        assert self.post(page, origin, page["token"]) == (403, "csrf_failed")

    @pytest.mark.parametrize("token", [None, "x" * 32])
    def test_is_refused_without_the_csrf_token(self, page: dict[str, str], token: str | None) -> None:
        assert self.post(page, self.ORIGIN, token) == (403, "csrf_failed")

    @pytest.mark.parametrize("planted", ["\u2000__Host-csrftoken", "__Host-csrftoken"])
    def test_takes_no_csrf_token_that_a_sibling_host_planted(
        self, page: dict[str, str], planted: str
    ) -> None:
        cookie = f"{page['cookie']}; {planted}={'x' * 32}".encode().decode("latin-1")

        assert self.post(page | {"cookie": cookie}, self.ORIGIN, "x" * 32) == (403, "csrf_failed")

    def test_needs_neither_with_a_header(self, signer: Signer) -> None:
        response = APIClient(enforce_csrf_checks=True).post(
            "/signed",
            {},
            headers={"authorization": f"Bearer {signer.token()}", "origin": "https://evil.example"},
        )

        assert response.status_code == 200
