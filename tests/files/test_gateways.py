"""Signatures: what the policy and the URL bind."""

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import CredentialRetrievalError
from pytest_django.fixtures import Settings

from apps.core.aws import clients
from apps.core.errors import UnavailableError
from apps.files import adapters, names

KEY = "private/project/65/77_11232026050403_0123456789abcdef_plan.pdf"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _fresh_clients() -> Iterator[None]:
    clients.forget_clients()
    yield
    clients.forget_clients()


PRESENTATION = names.presentation("page.html")


def sign_upload() -> adapters.PresignedPost:
    return adapters.presign_upload(key=KEY, media_type="image/png")


def sign_download() -> str:
    return adapters.presign_download(key=KEY, presentation=PRESENTATION)


def policy_of(post: adapters.PresignedPost) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(base64.b64decode(post.fields["policy"]))
    return decoded


class TestPresignUpload:
    def test_is_the_form_that_the_client_itself_would_sign(self, settings: Settings) -> None:
        with time_machine.travel(NOON, tick=False):
            form = sign_upload()
            client_form = clients.s3().generate_presigned_post(
                settings.UPLOADS_BUCKET,
                KEY,
                {"Content-Type": "image/png"},
                [["content-length-range", 0, 2**30], {"Content-Type": "image/png"}],
                settings.UPLOAD_SECONDS,
            )
        expected = adapters.PresignedPost(client_form["url"], client_form["fields"])
        assert form.url == expected.url
        assert form.fields.keys() == expected.fields.keys()
        assert sorted(map(str, policy_of(form)["conditions"])) == sorted(
            map(str, policy_of(expected)["conditions"])
        )
        assert policy_of(form)["expiration"] == "2026-11-23T12:30:00Z"

    @time_machine.travel(NOON, tick=False)
    def test_follows_the_settings(self, settings: Settings) -> None:
        settings.UPLOAD_SECONDS = 120
        settings.UPLOAD_MAX_BYTES = 5
        settings.UPLOADS_ENCRYPTION = "aws:kms"

        post = sign_upload()

        assert policy_of(post)["expiration"] == "2026-11-23T12:02:00Z"
        assert ["content-length-range", 0, 5] in policy_of(post)["conditions"]
        assert {"x-amz-server-side-encryption": "aws:kms"} in policy_of(post)["conditions"]
        assert post.fields["x-amz-server-side-encryption"] == "aws:kms"

    def test_carries_the_session_token_of_a_role(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_SESSION_TOKEN", "role-session")
        post = sign_upload()
        assert post.fields["x-amz-security-token"] == "role-session"
        assert {"x-amz-security-token": "role-session"} in policy_of(post)["conditions"]

    def test_builds_the_client_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        sign_upload()
        monkeypatch.setattr(clients, "_client", lambda *_, **__: pytest.fail("a second client"))
        sign_upload()
        sign_download()


@pytest.mark.parametrize("region", ["us-east-1", "us-east-2", "eu-central-1", "us-gov-west-1"])
class TestHost:
    """A bucket's global host redirects to its region, and browsers follow no redirect across origins."""

    @pytest.fixture(autouse=True)
    def _real_aws(self, region: str, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
        monkeypatch.delenv("AWS_ENDPOINT_URL")
        settings.AWS_ENDPOINT_URL = ""
        settings.AWS_REGION = region

    def test_is_the_regional_one(self, region: str, settings: Settings) -> None:
        host = f"{settings.UPLOADS_BUCKET}.s3.{region}.amazonaws.com"
        assert (sign_upload().url, urlsplit(sign_download()).netloc) == (f"https://{host}/", host)


def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")


def expired(monkeypatch: pytest.MonkeyPatch, renew: Callable[[], dict[str, str]]) -> None:
    past = datetime.now(UTC) - timedelta(hours=1)
    credentials = RefreshableCredentials("id", "key", "session", past, renew, "a-role")
    monkeypatch.setattr(clients._session(), "_credentials", credentials)


def still_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    same = {"access_key": "id", "secret_key": "key", "token": "t", "expiry_time": "2020-01-01T00:00:00Z"}
    expired(monkeypatch, lambda: same)


def renewal_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> dict[str, str]:
        raise CredentialRetrievalError(provider="a-role", error_msg="no answer")

    expired(monkeypatch, fail)


class TestWithoutCredentials:
    @pytest.mark.parametrize("fault", [no_credentials, still_expired, renewal_fails])
    def test_is_unavailable(
        self, fault: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fault(monkeypatch)
        for sign in (sign_upload, sign_download):
            with pytest.raises(UnavailableError):
                sign()
