from __future__ import annotations

import hashlib
import socket
from base64 import urlsafe_b64encode
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from rest_framework.test import APIClient

from tests.auth.hosted_ui import TokenEndpoint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpResponse
    from pytest_django.fixtures import Settings

    from tests.pool import Signer

TOKEN = "__Host-moped_id_token"
FLOW = "__Host-moped_sign_in"
NESTED = urlsafe_b64encode(b'{"x":' + b"[" * 20_000).decode()


@pytest.fixture
def endpoint(settings: Settings) -> Iterator[TokenEndpoint]:
    with TokenEndpoint() as server:
        settings.COGNITO_DOMAIN_URL = server.url
        yield server


class Browser(APIClient):
    """A browser that asks for pages, over https, since its cookies are Secure."""

    def generic(self, *args: Any, **kwargs: Any) -> Any:
        return super().generic(*args, **kwargs | {"secure": True})


@pytest.fixture
def browser(endpoint: TokenEndpoint) -> APIClient:
    return Browser(enforce_csrf_checks=True, headers={"accept": "text/html"})


def leave(browser: APIClient, target: str = "") -> dict[str, str]:
    """Start a sign-in and return what the hosted UI is asked."""
    response: Any = browser.get("/auth/sign-in", {"next": target} if target else {})
    query = parse_qs(urlsplit(response.headers["Location"]).query)
    return {name: values[0] for name, values in query.items()}


def come_back(browser: APIClient, state: str, code: str = "a-code") -> HttpResponse:
    return browser.get("/auth/callback", {"state": state, "code": code})


def sign_in(browser: APIClient, endpoint: TokenEndpoint, signer: Signer, **claims: Any) -> HttpResponse:
    asked = leave(browser)
    endpoint.reply = {"id_token": signer.token(**{"nonce": asked["nonce"]} | claims)}
    return come_back(browser, asked["state"])


@contextmanager
def mumbling(answer: bytes) -> Iterator[str]:
    """Listen on loopback, and answer the one caller with these very bytes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak() -> None:
            caller, _ = server.accept()
            with caller:
                caller.sendall(answer)
                caller.shutdown(socket.SHUT_WR)
                while caller.recv(64 * 1024):  # to close with something unread would be a reset
                    pass

        Thread(target=speak, daemon=True).start()
        yield "http://{}:{}".format(*server.getsockname())


class TestStart:
    def test_asks_for_a_code_with_pkce(self, browser: APIClient) -> None:
        asked = leave(browser)

        assert asked["response_type"] == "code"
        assert asked["client_id"] == "test-client-1"
        assert asked["redirect_uri"] == "https://testserver/auth/callback"
        assert asked["code_challenge_method"] == "S256"
        assert min(len(asked["state"]), len(asked["nonce"])) >= 43

    def test_never_asks_twice_the_same(self, browser: APIClient) -> None:
        first, second = leave(browser), leave(browser)

        assert not [name for name in ("state", "nonce", "code_challenge") if first[name] == second[name]]

    def test_never_needs_a_larger_cookie_than_browsers_keep(self, browser: APIClient) -> None:
        leave(browser, "/" + "x" * 1999)

        assert len(FLOW) + len(browser.cookies[FLOW].value) <= 4096

    def test_keeps_what_it_will_compare_in_a_cookie_of_its_own(self, browser: APIClient) -> None:
        leave(browser)

        cookie = browser.cookies[FLOW]
        assert (cookie["httponly"], cookie["secure"], cookie["samesite"], cookie["path"]) == (
            True,
            True,
            "Lax",
            "/",
        )
        assert cookie["max-age"] == 600


class TestCallback:
    def test_signs_the_browser_in(self, browser: APIClient, endpoint: TokenEndpoint, signer: Signer) -> None:
        response = sign_in(browser, endpoint, signer)

        assert (response.status_code, response.headers["Location"]) == (302, "/auth/current_user")
        assert browser.get("/auth/current_user2", headers={"accept": "*/*"}).json()["email"]

    def test_keeps_the_token_where_no_script_reads_it(
        self, browser: APIClient, endpoint: TokenEndpoint, signer: Signer
    ) -> None:
        sign_in(browser, endpoint, signer)

        cookie = browser.cookies[TOKEN]
        assert (cookie["httponly"], cookie["secure"], cookie["samesite"], cookie["path"]) == (
            True,
            True,
            "Lax",
            "/",
        )
        assert 3590 <= cookie["max-age"] <= 3600
        assert not cookie["domain"]

    def test_proves_that_it_is_the_one_who_left(
        self, browser: APIClient, endpoint: TokenEndpoint, signer: Signer
    ) -> None:
        asked = leave(browser)
        endpoint.reply = {"id_token": signer.token(nonce=asked["nonce"])}
        come_back(browser, asked["state"])

        digest = hashlib.sha256(endpoint.form["code_verifier"][0].encode()).digest()
        assert urlsafe_b64encode(digest).decode().rstrip("=") == asked["code_challenge"]

    @pytest.mark.parametrize(
        ("target", "arrives_at"),
        [
            ("/users/?limit=5", "/users/?limit=5"),
            ("https://evil.example/", "/auth/current_user"),
            ("//evil.example/", "/auth/current_user"),
            ("/\\evil.example", "/auth/current_user"),
            ("javascript:alert(1)", "/auth/current_user"),
            ("evil.example", "/auth/current_user"),
            ("https:evil.example", "/auth/current_user"),
            ("/auth/callback?code=used&state=old", "/auth/current_user"),
            ("/auth/callback/?code=used&state=old", "/auth/current_user"),
            ("/auth/sign-out", "/auth/current_user"),
            pytest.param("/" + "x" * 2000, "/auth/current_user", id="too long"),
        ],
    )
    def test_goes_back_to_where_one_was_and_nowhere_else(
        self, browser: APIClient, endpoint: TokenEndpoint, signer: Signer, target: str, arrives_at: str
    ) -> None:
        asked = leave(browser, target)
        endpoint.reply = {"id_token": signer.token(nonce=asked["nonce"])}

        assert come_back(browser, asked["state"]).headers["Location"] == arrives_at

    @pytest.mark.parametrize("forged", ["", "another-state", "é"])
    def test_refuses_a_state_that_did_not_leave_here(
        self, browser: APIClient, endpoint: TokenEndpoint, forged: str
    ) -> None:
        leave(browser)

        response = come_back(browser, forged)

        assert response.status_code == 401
        assert "sign_in_stale" in response.content.decode()
        assert endpoint.form == {}

    def test_says_how_to_authenticate(self, browser: APIClient) -> None:
        assert come_back(browser, "forged").headers["WWW-Authenticate"] == 'Bearer realm="moped"'

    def test_never_sends_a_browser_round_in_circles(
        self, browser: APIClient, endpoint: TokenEndpoint, signer: Signer
    ) -> None:
        sign_in(browser, endpoint, signer)

        # However one was led here: who is signed in sees the refusal and no second sign-in.
        assert come_back(browser, "used").status_code == 401

    @pytest.mark.parametrize(
        "cookie", ["", "not-base64!", "bm90IGpzb24", "e30", "\u00e9", NESTED], ids=lambda value: value[:12]
    )
    def test_refuses_without_a_readable_flow(self, browser: APIClient, cookie: str) -> None:
        asked = leave(browser)
        browser.cookies[FLOW] = cookie

        assert come_back(browser, asked["state"]).status_code == 401

    def test_refuses_a_token_of_another_sign_in(
        self, browser: APIClient, endpoint: TokenEndpoint, signer: Signer
    ) -> None:
        response = sign_in(browser, endpoint, signer, nonce="another")

        assert response.status_code == 401
        assert TOKEN not in response.cookies

    def test_refuses_a_token_that_does_not_hold(
        self, browser: APIClient, endpoint: TokenEndpoint, signer: Signer
    ) -> None:
        response = sign_in(browser, endpoint, signer, aud="another-client")

        assert response.status_code == 401
        assert "audience_wrong" in response.content.decode()

    def test_says_so_when_no_cookie_could_hold_the_token(
        self, browser: APIClient, endpoint: TokenEndpoint, signer: Signer
    ) -> None:
        response = sign_in(browser, endpoint, signer, padding="x" * 4000)

        assert response.status_code == 400
        assert "too large" in response.content.decode()
        assert TOKEN not in response.cookies

    def test_says_so_when_the_hosted_ui_said_no(self, browser: APIClient) -> None:
        asked = leave(browser)

        response: Any = browser.get("/auth/callback", {"state": asked["state"], "error": "access_denied"})

        assert response.status_code == 401
        assert "did not let you in" in response.content.decode()

    @pytest.mark.parametrize(
        ("status", "answer", "expected"),
        [
            (400, {"error": "invalid_grant"}, 401),
            (500, b"oops", 502),
            (200, b"not json", 502),
            (200, [], 502),
            (200, {"access_token": "x"}, 502),
        ],
        ids=["used code", "fault", "garbage", "not an object", "no id token"],
    )
    def test_never_fails_itself(
        self, browser: APIClient, endpoint: TokenEndpoint, status: int, answer: Any, expected: int
    ) -> None:
        endpoint.status, endpoint.reply = status, answer
        asked = leave(browser)

        assert come_back(browser, asked["state"]).status_code == expected

    @pytest.mark.parametrize(
        "answer",
        [b"SMTP ready\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{"],
        ids=["not HTTP", "cut short"],
    )
    def test_blames_a_pool_that_speaks_no_http(
        self, browser: APIClient, settings: Settings, answer: bytes
    ) -> None:
        with mumbling(answer) as settings.COGNITO_DOMAIN_URL:
            asked = leave(browser)

            assert come_back(browser, asked["state"]).status_code == 502

    def test_answers_503_while_the_pool_is_away(self, browser: APIClient, settings: Settings) -> None:
        settings.COGNITO_DOMAIN_URL = "http://127.0.0.1:9"
        asked = leave(browser)

        assert come_back(browser, asked["state"]).status_code == 503


class TestSignOut:
    @pytest.fixture
    def signed_in(self, browser: APIClient, endpoint: TokenEndpoint, signer: Signer) -> APIClient:
        sign_in(browser, endpoint, signer)
        return browser

    def csrf_token(self, browser: APIClient) -> str:
        browser.get("/auth/current_user")
        return browser.cookies["__Host-csrftoken"].value

    def test_ends_both_sessions(self, signed_in: APIClient, endpoint: TokenEndpoint) -> None:
        form = {"csrfmiddlewaretoken": self.csrf_token(signed_in)}

        response: Any = signed_in.post(
            "/auth/sign-out", form, format="multipart", headers={"origin": "https://testserver"}
        )

        assert response.headers["Location"].startswith(f"{endpoint.url}/logout?client_id=test-client-1")
        assert response.cookies[TOKEN]["max-age"] == 0

    def test_takes_a_form_of_ours(self, signed_in: APIClient) -> None:
        response = signed_in.post("/auth/sign-out", {}, format="multipart")

        assert response.status_code == 403
        assert "csrf_failed" in response.content.decode()

    def test_is_not_a_link(self, signed_in: APIClient) -> None:
        response = signed_in.get("/auth/sign-out", headers={"accept": "application/json"})

        assert (response.status_code, response.headers["Allow"]) == (405, "POST")
        assert response.json()["code"] == "method_not_allowed"


class TestPages:
    def test_show_who_is_signed_in(self, browser: APIClient, endpoint: TokenEndpoint, signer: Signer) -> None:
        sign_in(browser, endpoint, signer)

        page = browser.get("/").content.decode()

        assert "jane.doe@austintexas.gov" in page
        assert "moped-editor" in page
        assert "Sign out" in page

    def test_never_show_the_token(self, browser: APIClient, endpoint: TokenEndpoint, signer: Signer) -> None:
        sign_in(browser, endpoint, signer)
        token = browser.cookies[TOKEN].value

        for path in ("/", "/auth/current_user", "/auth/current_user2"):
            assert token.rpartition(".")[2] not in browser.get(path).content.decode()

    def test_lead_a_stranger_to_the_sign_in_and_back(self, browser: APIClient) -> None:
        page = browser.get("/auth/current_user?a=1&b=2").content.decode()

        assert 'href="/auth/sign-in?next=/auth/current_user%3Fa%3D1%26b%3D2"' in page

    def test_let_nothing_in_but_their_own_files(self, browser: APIClient) -> None:
        policy = browser.get("/").headers["Content-Security-Policy"]

        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
