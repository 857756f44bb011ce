"""A sign-in on a preview, in a real browser: the preview, the hosted UI and staging are three origins."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings
from playwright.sync_api import Browser, Page, expect
from pytest_django.fixtures import Settings
from werkzeug.serving import make_server

from tests.auth.browser.test_preview_sign_in import RELAY, preview_url
from tests.e2e.conftest import executable, window
from tests.support.token_factory import Signer

__all__ = ["preview_url"]

pytestmark = [pytest.mark.slow(cost=10), pytest.mark.emulator]

OF_PREVIEWS, OF_STAGING = "client-of-previews", "client-of-staging"
STAGING = RELAY.removesuffix("/auth/preview")
ON_STAGING = {"STAGE": "staging", "COGNITO_CLIENT_IDS": (OF_STAGING,)}
ON_PREVIEW = {"STAGE": "pr_12", "SIGN_IN_RELAY": RELAY, "COGNITO_CLIENT_IDS": (OF_PREVIEWS, OF_STAGING)}


class Stages:
    """The code of this process as two stages, by the host name of a request."""

    def __init__(self, preview_url: str) -> None:
        self.settings = {urlsplit(preview_url).netloc: ON_PREVIEW, urlsplit(STAGING).netloc: ON_STAGING}
        self.handler, self.lock = WSGIHandler(), Lock()
        self.requests: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        host = environ["HTTP_HOST"]
        environ["wsgi.url_scheme"] = "https"
        with self.lock, override_settings(ALLOWED_HOSTS=[host], **self.settings[host]):
            self.requests.append(f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}")
            response = self.handler(environ, start_response)
            body = list(response)
            response.close()
            return body


class HostedUI:
    """The pool's sign-in page, which knows the person already."""

    def __init__(self, signer: Signer) -> None:
        self.signer = signer
        self.token = ""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["REQUEST_METHOD"] == "POST":
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps({"id_token": self.token}).encode()]
        query = dict(parse_qsl(environ["QUERY_STRING"]))
        self.token = self.signer.token(nonce=query["nonce"], aud=query["client_id"])
        location = f"{query['redirect_uri']}?{urlencode({'code': 'a-code', 'state': query['state']})}"
        start_response("302 Found", [("Location", location)])
        return []


@contextmanager
def serving(application: Any, ssl_context: Any = None) -> Iterator[int]:
    """Serve a WSGI application on loopback and yield the port."""
    server = make_server("127.0.0.1", 0, application, threaded=True, ssl_context=ssl_context)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.port
    server.shutdown()
    server.server_close()


@pytest.fixture
def stages(preview_url: str, signer: Signer, settings: Settings) -> Iterator[Stages]:
    with serving(HostedUI(signer)) as port:
        settings.COGNITO_DOMAIN_URL = f"http://127.0.0.1:{port}"
        yield Stages(preview_url)


@pytest.fixture
def page(chromium: Browser, stages: Stages) -> Iterator[Page]:
    """A page of a browser that finds both stages on this machine."""
    with serving(stages, ssl_context="adhoc") as port:
        rules = ", ".join(f"MAP {host} 127.0.0.1:{port}" for host in stages.settings)
        arguments = [f"--host-resolver-rules={rules}"]
        with (
            chromium.browser_type.launch(executable_path=executable(), args=arguments) as browser,
            window(browser, ignore_https_errors=True) as page,
        ):
            yield page


class TestSignInOnAPreview:
    def test_takes_a_click_on_staging(self, page: Page, stages: Stages, preview_url: str) -> None:
        page.goto(f"{preview_url}/auth/current_user")
        page.get_by_role("link", name="Sign in").click()

        expect(page.get_by_role("heading")).to_have_text("Sign in on the preview of pull request #12?")
        expect(page.locator("code")).to_have_text(preview_url)
        assert page.url.startswith(f"{RELAY}?code=a-code&state=pr_12.")
        page.get_by_role("link", name="Sign in on the preview").click()

        expect(page.get_by_text("HTTP 200")).to_be_visible()
        assert page.url == f"{preview_url}/auth/current_user"
        (cookie,) = [each for each in page.context.cookies() if each["name"].endswith("id_token")]
        assert cookie["domain"] == urlsplit(preview_url).netloc
        assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (True, True, "Lax")
        assert cookie["value"] not in "".join(stages.requests)

    def test_does_not_go_on_without_the_click(self, page: Page, preview_url: str) -> None:
        page.goto(f"{preview_url}/auth/sign-in")
        page.get_by_role("link", name="Cancel").click()
        expect(page).to_have_url(f"{STAGING}/")

        page.goto(f"{preview_url}/auth/current_user")
        expect(page.get_by_text("HTTP 401")).to_be_visible()
