import hashlib
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import HttpResponse
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from tests.support.http_stub import Request, StubServer, dripping, sending
from tests.support.token_factory import Signer

TOKEN = "__Host-moped_id_token"
PENDING = "__Host-moped_sign_in_"
DENIAL = "You have no Moped account, or it was deactivated."
FROM_TRIGGER = f"PreTokenGeneration failed with error {DENIAL}"
DEEP = b"[" * 20_000
NESTED = urlsafe_b64encode(b'{"x":' + b"[" * 20_000).decode()


class TokenEndpoint(StubServer):
    """A token endpoint on loopback: answers `status` and `reply`; `form` is what it was last sent."""

    def __init__(self) -> None:
        super().__init__(self.reply_to)
        self.status = 200
        self.reply: Any = {}
        self.form: dict[str, list[str]] = {}

    def reply_to(self, request: Request) -> None:
        # As the pool behind a firewall: a form, from a program with a name.
        is_form = request.headers["Content-Type"] == "application/x-www-form-urlencoded"
        has_name = bool(request.headers["User-Agent"])
        self.form = parse_qs(request.body.decode()) if is_form and has_name else {}
        body = self.reply if isinstance(self.reply, bytes) else json.dumps(self.reply).encode()
        request.answer(body, self.status, Content_Type="application/json")


@pytest.fixture
def endpoint(settings: Settings) -> Iterator[TokenEndpoint]:
    with TokenEndpoint() as server:
        settings.COGNITO_DOMAIN_URL = server.url
        yield server


class Browser(APIClient):
    """A browser: over https, since its cookies are Secure, and with the oldest cookie first."""

    def generic(self, *args: Any, **kwargs: Any) -> Any:
        current = (cookie for cookie in self.cookies.values() if cookie["max-age"] != 0)
        header = "; ".join(f"{cookie.key}={cookie.coded_value}" for cookie in current)
        return super().generic(*args, **{"HTTP_COOKIE": header} | kwargs | {"secure": True})


@pytest.fixture
def browser(endpoint: TokenEndpoint) -> APIClient:
    return Browser(enforce_csrf_checks=True, headers={"accept": "text/html"})


def leave(browser: APIClient, target: str = "") -> dict[str, str]:
    """Start a sign-in and return what the hosted UI is asked for."""
    response: Any = browser.get("/auth/sign-in", {"next": target} if target else {})
    query = parse_qs(urlsplit(response.headers["Location"]).query)
    return {name: values[0] for name, values in query.items()}


def pending_cookies(browser: APIClient) -> dict[str, str]:
    """Return what the browser keeps for the sign-ins that have not come back."""
    return {
        name: cookie.value
        for name, cookie in browser.cookies.items()
        if name.startswith(PENDING) and cookie["max-age"] != 0
    }


def come_back(browser: APIClient, state: str, code: str = "a-code") -> HttpResponse:
    return browser.get("/auth/callback", {"state": state, "code": code})


class Pool:
    """The pool's side of a sign-in: it issues a token for what the hosted UI was asked for."""

    def __init__(self, endpoint: TokenEndpoint, signer: Signer) -> None:
        self.endpoint, self.signer = endpoint, signer

    def let_in(self, browser: APIClient, authorization: dict[str, str], **claims: Any) -> HttpResponse:
        """Send a browser back with a code that is worth a token."""
        self.endpoint.reply = {"id_token": self.signer.token(**{"nonce": authorization["nonce"]} | claims)}
        return come_back(browser, authorization["state"])

    def sign_in(self, browser: APIClient, **claims: Any) -> HttpResponse:
        return self.let_in(browser, leave(browser), **claims)


@pytest.fixture
def pool(endpoint: TokenEndpoint, signer: Signer) -> Pool:
    return Pool(endpoint, signer)


def sign_out(browser: APIClient, token: str = "") -> Any:
    """Press the button of a page of ours."""
    if not token:
        browser.get("/auth/current_user")
        token = browser.cookies["__Host-csrftoken"].value
    form = {"csrfmiddlewaretoken": token}
    headers = {"origin": "https://testserver"}
    return browser.post("/auth/sign-out", form, format="multipart", headers=headers)


def is_protected(cookie: Any) -> bool:
    """Return whether neither a script nor another site nor plain HTTP gets the cookie."""
    attributes = tuple(cookie[name] for name in ("httponly", "secure", "samesite", "path", "domain"))
    return attributes == (True, True, "Lax", "/", "")


class TestStart:
    def test_asks_for_a_code_with_pkce(self, browser: APIClient) -> None:
        first, second = leave(browser), leave(browser)
        constant = {name: value for name, value in first.items() if second[name] == value}

        assert constant == {
            "response_type": "code",
            "client_id": "test-client-1",
            "redirect_uri": "https://testserver/auth/callback",
            "scope": "openid email profile",
            "code_challenge_method": "S256",
        }
        assert min(len(first["state"]), len(first["nonce"])) >= 43
        cookie = browser.cookies[f"{PENDING}{first['state']}"]
        assert is_protected(cookie)
        assert cookie["max-age"] == 600


class TestPendingSignIns:
    """Several tabs of one browser may sign in at the same time."""

    def test_are_kept_apart_by_state(self, browser: APIClient, pool: Pool) -> None:
        authorization = {target: leave(browser, target) for target in ("/users/?tab=1", "/users/?tab=2")}

        for target, tab in authorization.items():
            assert pool.let_in(browser, tab).headers["Location"] == target

    def test_survive_visits_and_a_sign_out_and_can_be_used_once(self, browser: APIClient, pool: Pool) -> None:
        pool.sign_in(browser)
        authorization = leave(browser)
        for query in ({}, {"state": "x"}, {"state": "x", "code": "y"}, {"error": "denied"}):
            browser.get("/auth/callback", query)
        sign_out(browser)

        assert [pool.let_in(browser, authorization).status_code for _ in range(2)] == [302, 401]

    @pytest.mark.parametrize(("target", "number"), [("/", 8), ("/" + "x" * 999, 2)])
    def test_are_kept_as_far_as_a_header_holds_the_newest_first(
        self, browser: APIClient, target: str, number: int
    ) -> None:
        browser.cookies[TOKEN] = "x" * 4000
        browser.get("/auth/current_user")  # sets the cookie of the CSRF token
        states = [leave(browser, target)["state"] for _ in range(30)]

        kept_states = {name.removeprefix(PENDING) for name in pending_cookies(browser)}
        assert len(kept_states) >= number
        assert kept_states == set(states[-len(kept_states) :])
        cookies = {name: cookie.value for name, cookie in browser.cookies.items() if cookie["max-age"] != 0}
        header = "; ".join(f"{name}={value}" for name, value in cookies.items())
        assert len(header) < 8190 - len("Cookie: ")  # gunicorn's limit_request_field_size


class TestCallback:
    def test_signs_the_browser_in_by_a_protected_cookie(
        self, browser: APIClient, pool: Pool, endpoint: TokenEndpoint
    ) -> None:
        authorization = leave(browser)
        response = pool.let_in(browser, authorization)

        digest = hashlib.sha256(endpoint.form["code_verifier"][0].encode()).digest()
        assert urlsafe_b64encode(digest).decode().rstrip("=") == authorization["code_challenge"]
        assert (response.status_code, response.headers["Location"]) == (302, "/auth/current_user")
        assert browser.get("/auth/current_user2", headers={"accept": "*/*"}).json()["email"]
        cookie = browser.cookies[TOKEN]
        assert is_protected(cookie)
        assert 0 < cookie["max-age"] <= 3600

    @pytest.mark.parametrize(
        ("target", "arrives_at"),
        [
            ("/users/?limit=5", "/users/?limit=5"),
            ("https://evil.example/", "/auth/current_user"),
            ("//evil.example/", "/auth/current_user"),
            ("/\\evil.example", "/auth/current_user"),
            ("//[", "/auth/current_user"),
            ("evil.example", "/auth/current_user"),
            ("http://[", "/auth/current_user"),
            ("/auth/callback?code=used&state=old", "/auth/current_user"),
            ("/auth/callback/?code=used&state=old", "/auth/current_user"),
            ("/auth/sign-out", "/auth/current_user"),
            pytest.param("/" + "x" * 999, "/" + "x" * 999, id="long"),
            pytest.param("/" + "x" * 1000, "/auth/current_user", id="too long"),
            ('/users/?search=\u00e9 "', "/users/?search=%C3%A9%20%22"),
        ],
    )
    def test_goes_back_to_where_one_was_and_nowhere_else(
        self, browser: APIClient, pool: Pool, target: str, arrives_at: str
    ) -> None:
        authorization = leave(browser, target)

        assert pool.let_in(browser, authorization).headers["Location"] == arrives_at

    @pytest.mark.parametrize("forged", ["", "another-state", "é"])
    def test_refuses_a_state_that_did_not_leave_here(
        self, browser: APIClient, endpoint: TokenEndpoint, forged: str
    ) -> None:
        leave(browser)

        response = come_back(browser, forged)

        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="moped"'
        assert "sign_in_stale" in response.content.decode()
        assert endpoint.form == {}

    @pytest.mark.parametrize(
        "cookie", ["", "not-base64!", "bm90IGpzb24", "e30", NESTED], ids=lambda value: value[:12]
    )
    def test_refuses_without_a_readable_cookie(self, browser: APIClient, cookie: str) -> None:
        state = leave(browser)["state"]
        browser.cookies[f"{PENDING}{state}"] = cookie

        assert come_back(browser, state).status_code == 401

    @pytest.mark.parametrize(
        ("claims", "status", "words"),
        [
            ({"nonce": "another"}, 401, "sign_in_stale"),
            ({"aud": "another"}, 401, "audience_wrong"),
            ({"padding": "x" * 4000}, 400, "too large"),
        ],
        ids=["another sign-in", "another client", "too large for a cookie"],
    )
    def test_refuses_a_token_that_does_not_fit(
        self, browser: APIClient, pool: Pool, claims: dict[str, str], status: int, words: str
    ) -> None:
        response = pool.sign_in(browser, **claims)

        assert response.status_code == status
        assert words in response.content.decode()
        assert TOKEN not in response.cookies

    @pytest.mark.parametrize(
        ("status", "answer", "expected", "words"),
        [
            (400, {"error": "invalid_grant", "error_description": "Invalid code."}, 401, "code_refused"),
            (400, DEEP, 401, "code_refused"),
            (400, {"error_description": 1}, 401, "code_refused"),
            (400, {"error_description": FROM_TRIGGER}, 401, f"\u201c{DENIAL}\u201d If you need access, ask"),
            (401, {"error": "invalid_grant", "error_description": FROM_TRIGGER}, 401, "sign_in_refused"),
            (403, {"error": "x", "error_description": FROM_TRIGGER}, 401, "sign_in_refused"),
            (429, {"error": "too_many_requests"}, 503, "unavailable"),
            (500, b"oops", 502, "upstream_error"),
            (200, b"\xff", 502, "upstream_error"),
            (200, {"id_token": 7}, 502, "upstream_error"),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_says_what_the_token_endpoint_answered(
        self,
        browser: APIClient,
        endpoint: TokenEndpoint,
        status: int,
        answer: Any,
        expected: int,
        words: str,
    ) -> None:
        endpoint.status, endpoint.reply = status, answer

        response = come_back(browser, leave(browser)["state"])

        assert response.status_code == expected
        assert words in response.content.decode()
        assert response.headers.get("Retry-After") == ("5" if expected == 503 else None)

    @pytest.mark.parametrize(
        "answer",
        [b"SMTP ready\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{"],
        ids=["not HTTP", "cut short"],
    )
    def test_blames_a_pool_that_speaks_no_http(
        self, browser: APIClient, settings: Settings, answer: bytes
    ) -> None:
        with StubServer(sending(answer)) as server:
            settings.COGNITO_DOMAIN_URL = server.url

            assert come_back(browser, leave(browser)["state"]).status_code == 502

    def test_answers_503_while_the_pool_is_away(
        self, browser: APIClient, settings: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.COGNITO_DOMAIN_URL = "http://127.0.0.1:9"

        response = come_back(browser, leave(browser)["state"])

        assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
        (record,) = (record for record in caplog.records if record.message == "unavailable")
        assert "Connection refused" in vars(record)["cause"]

    def test_waits_no_longer_than_a_request_may_take(self, browser: APIClient, settings: Settings) -> None:
        state = leave(browser)["state"]
        settings.REQUEST_SECONDS = 0.2

        with StubServer(dripping) as server:
            settings.COGNITO_DOMAIN_URL = server.url
            response = come_back(browser, state)

        assert (response.status_code, response.headers["Retry-After"]) == (503, "5")

    def test_takes_the_same_code_again_after_a_fault(
        self, browser: APIClient, pool: Pool, endpoint: TokenEndpoint
    ) -> None:
        authorization = leave(browser)
        endpoint.status = 500
        assert come_back(browser, authorization["state"]).status_code == 502

        endpoint.status = 200
        assert pool.let_in(browser, authorization).status_code == 302


class TestDeniedSignIn:
    """The pool sends the browser back with an error."""

    def denied(self, browser: APIClient, **query: str) -> HttpResponse:
        return browser.get("/auth/callback", query)

    @pytest.mark.parametrize("has_state", [True, False])
    def test_shows_the_reason_in_an_error_callback(self, browser: APIClient, *, has_state: bool) -> None:
        authorization = leave(browser)
        state = {"state": authorization["state"]} if has_state else {}

        response = self.denied(browser, error="x", error_description=f"{FROM_TRIGGER}. ", **state)

        assert response.status_code == 401
        assert f"\u201c{DENIAL}\u201d" in response.content.decode()
        assert bool(pending_cookies(browser)) is not has_state

    @pytest.mark.parametrize(
        "query",
        [{"error": "x", "error_description": " . "}, {}, {"error": "x", "code": "c"}],
        ids=["empty description", "no code", "error and code"],
    )
    def test_says_so_without_a_reason(
        self, browser: APIClient, endpoint: TokenEndpoint, query: dict[str, str]
    ) -> None:
        response = self.denied(browser, state=leave(browser)["state"], **query)

        assert response.status_code == 401
        assert "did not let you in. If you expected otherwise" in response.content.decode()
        assert endpoint.form == {}

    def test_shows_the_reason_escaped_printable_and_bounded(self, browser: APIClient) -> None:
        description = "<b>a\r\n\u202eb" + "z" * 1000
        page = self.denied(browser, error="x", error_description=description).content.decode()

        assert f"\u201c&lt;b&gt;ab{'z' * 295}\u201d" in page

    def test_is_json_for_programs_and_logged_by_its_code_alone(
        self, browser: APIClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        query = {"error": "x", "error_description": "<b>\u00e9"}

        response: Any = browser.get("/auth/callback", query, headers={"accept": "application/json"})

        assert "\u201c<b>\u00e9\u201d" in response.json()["detail"]
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="moped"'
        assert [vars(record)["code"] for record in caplog.records] == ["sign_in_refused"]
        assert "<b>" not in caplog.text

    def test_offers_another_try_and_another_person(self, browser: APIClient, endpoint: TokenEndpoint) -> None:
        state = leave(browser, "/users/?limit=5")["state"]
        page = self.denied(browser, error="x", state=state).content.decode()
        assert 'href="/auth/sign-in?next=/users/%3Flimit%3D5">Try again' in page
        token = re.search(r'action="/auth/sign-out">\s*<input [^>]*value="([^"]+)"', page)
        assert token
        assert "Sign in as someone else" in page

        response = sign_out(browser, token[1])

        assert response.headers["Location"].startswith(f"{endpoint.url}/logout?")


class TestSignOut:
    def test_ends_both_sessions(self, browser: APIClient, pool: Pool, endpoint: TokenEndpoint) -> None:
        pool.sign_in(browser)

        response = sign_out(browser)

        assert response.headers["Location"].startswith(f"{endpoint.url}/logout?client_id=test-client-1")
        assert response.cookies[TOKEN]["max-age"] == 0

    def test_takes_a_form_of_ours_only(self, browser: APIClient, pool: Pool) -> None:
        pool.sign_in(browser)
        forged: Any = browser.post("/auth/sign-out", {}, format="multipart")
        link: Any = browser.get("/auth/sign-out", headers={"accept": "application/json"})

        assert forged.status_code == 403
        assert "csrf_failed" in forged.content.decode()
        assert (link.status_code, link.headers["Allow"]) == (405, "POST")
        assert link.json()["code"] == "method_not_allowed"


class TestPages:
    def test_show_who_is_signed_in_and_never_the_token(self, browser: APIClient, pool: Pool) -> None:
        pool.sign_in(browser)
        signature = browser.cookies[TOKEN].value.rpartition(".")[2]
        pages = [browser.get(path).content.decode() for path in ("/", "/auth/current_user")]

        assert all(words in pages[0] for words in ("jane.doe@austintexas.gov", "moped-editor", "Sign out"))
        assert not [page for page in pages if signature in page]
