"""Sign-ins on previews, which come back by way of a page of staging."""

import io
import zipfile
from collections.abc import Iterator

import boto3
import pytest
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from apps.core.aws import clients
from apps.core.http.throttles import SignInThrottle
from apps.deployment.aws import functions
from apps.deployment.previews import names
from apps.devstack.emulator import Emulator
from tests.auth.browser.test_sign_in import (
    PENDING,
    TOKEN,
    Pool,
    TokenEndpoint,
    browser,
    come_back,
    endpoint,
    leave,
    pending_cookies,
    pool,
    sign_out,
)
from tests.support.emulator_fixtures import clients_call

__all__ = ["browser", "endpoint", "pool"]

RELAY = "https://moped-api-staging.austinmobility.io/auth/preview"
STATE = "a" * 43


@pytest.fixture(scope="module")
def preview_url(emulator: Emulator) -> Iterator[str]:
    """The URL that Lambda has for the preview of pull request 12."""
    with clients_call(emulator.url):
        lambdas, name = clients.lambda_client(), names.function(12)
        role = boto3.client("iam").create_role(RoleName="preview", AssumeRolePolicyDocument="{}")["Role"]
        package = io.BytesIO()
        zipfile.ZipFile(package, "w").close()
        lambdas.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=role["Arn"],
            Handler="moped_api.lambda_handler.lambda_handler",
            Code={"ZipFile": package.getvalue()},
        )
        lambdas.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig=functions.POLL_INTERVAL)
        functions.make_live(name, "$LATEST", None)
        url = lambdas.create_function_url_config(FunctionName=name, Qualifier=functions.LIVE, AuthType="NONE")
        yield url["FunctionUrl"].rstrip("/")
        lambdas.delete_function_url_config(FunctionName=name, Qualifier=functions.LIVE)
        lambdas.delete_function(FunctionName=name)
        boto3.client("iam").delete_role(RoleName="preview")


@pytest.fixture
def as_preview(settings: Settings) -> None:
    settings.STAGE = names.stage(12)
    settings.SIGN_IN_RELAY = RELAY


@pytest.mark.usefixtures("as_preview")
class TestSignInOnAPreview:
    def test_completes_with_the_state_of_this_browser(
        self, browser: APIClient, pool: Pool, endpoint: TokenEndpoint
    ) -> None:
        authorization = leave(browser, "/users/")
        (pending,) = pending_cookies(browser)
        own_state = pending.removeprefix(PENDING)
        assert authorization["state"] == f"pr_12.{own_state}"

        response = pool.let_in(browser, authorization | {"state": own_state})

        assert response.headers["Location"] == "/users/"
        assert authorization["redirect_uri"] == RELAY
        assert endpoint.form["redirect_uri"] == [RELAY]
        assert come_back(browser, own_state).status_code == 401

        assert sign_out(browser).headers["Location"] == "https://testserver/"  # without the hosted UI
        assert browser.cookies[TOKEN].value == ""

    def test_is_relayed_by_no_preview(self, browser: APIClient) -> None:
        assert browser.get("/auth/preview", {"state": f"pr_12.{STATE}", "code": "x"}).status_code == 404


@pytest.mark.emulator
class TestRelay:
    def test_shows_the_preview_and_leads_there(self, browser: APIClient, preview_url: str) -> None:
        response = browser.get("/auth/preview", {"state": f"pr_12.{STATE}", "code": "a&b"})

        page = response.content.decode()
        assert response.status_code == 200
        assert "pull request #12" in page
        assert f'href="{preview_url}/auth/callback?code=a%26b&amp;state={STATE}"' in page
        assert response.headers["X-Frame-Options"] == "DENY"
        assert not response.cookies

    @pytest.mark.usefixtures("preview_url")
    @pytest.mark.parametrize("state", [STATE, f"pr_13.{STATE}", f"pr_12.{STATE}x", f"production.{STATE}"])
    def test_finds_no_other_address(self, browser: APIClient, state: str) -> None:
        response = browser.get("/auth/preview", {"state": state, "code": "x"})

        assert response.status_code == 404
        assert "Open the address of a preview" in response.content.decode()

    def test_says_why_the_pool_refused_and_is_limited_by_address(
        self, browser: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(SignInThrottle, "THROTTLE_RATES", {"sign_ins": "1/min"})
        response = browser.get("/auth/preview", {"error": "access_denied", "error_description": "No <b>."})

        assert response.status_code == 401
        assert "No &lt;b&gt;." in response.content.decode()
        assert browser.get("/auth/preview").status_code == 429
