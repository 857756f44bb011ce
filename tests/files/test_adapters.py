"""Signatures: what they bind, and what an emulator that enforces them makes of them."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import requests
import time_machine
from botocore.credentials import RefreshableCredentials
from pytest_django.fixtures import Settings

from apps.core.aws import clients
from apps.core.errors import UnavailableError
from apps.files import adapters, names
from tests.support.waiting import LIMIT_SECONDS

EDITORS_ORIGIN = "https://localhost:3000"
BODY = bytes(range(256)) * 40
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def key() -> str:
    """A key that no other test uses."""
    return f"private/project/1/77_11232026050403_{uuid4().hex[:16]}_plan.pdf"


def sign(key: str) -> adapters.PresignedPost:
    return adapters.presign_upload(key=key, media_type="application/pdf")


def sign_download(key: str, name: str = "page.html") -> str:
    return adapters.presign_download(key=key, presentation=names.presentation(name))


def policy_of(form: adapters.PresignedPost) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(base64.b64decode(form.fields["policy"]))
    return decoded


def post(
    form: adapters.PresignedPost,
    body: bytes = BODY,
    changes: Mapping[str, str] = MappingProxyType({}),
    file_name: str = "plan.pdf",
) -> requests.Response:
    """Post the form as the editor does: all fields in their order, the file last."""
    return requests.post(
        form.url,
        data={**form.fields, **changes},
        files={"file": (file_name, body)},
        headers={"Origin": EDITORS_ORIGIN},
        timeout=LIMIT_SECONDS,
    )


def stored(settings: Settings, key: str) -> Any:
    return clients.s3().get_object(Bucket=settings.UPLOADS_BUCKET, Key=key)


def is_there(settings: Settings, key: str) -> bool:
    objects = clients.s3().list_objects_v2(Bucket=settings.UPLOADS_BUCKET, Prefix=key)
    return bool(objects["KeyCount"])


@pytest.fixture
def fresh_clients() -> Iterator[None]:
    clients.forget_clients()
    yield
    clients.forget_clients()


@pytest.mark.usefixtures("fresh_clients")
class TestPresignUpload:
    def test_is_the_form_that_the_client_itself_would_sign(
        self, key: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_SESSION_TOKEN", "role-session")
        with time_machine.travel(NOON, tick=False):
            form = sign(key)
            client_form = clients.s3().generate_presigned_post(
                settings.UPLOADS_BUCKET,
                key,
                {"Content-Type": "application/pdf"},
                [["content-length-range", 0, 2**30], {"Content-Type": "application/pdf"}],
                settings.UPLOAD_FORM_SECONDS,
            )
        expected = adapters.PresignedPost(client_form["url"], client_form["fields"])
        conditions, expected_conditions = policy_of(form)["conditions"], policy_of(expected)["conditions"]
        assert form.url == expected.url
        assert form.fields.keys() == expected.fields.keys()
        assert sorted(map(str, conditions)) == sorted(map(str, expected_conditions))
        assert {"x-amz-security-token": "role-session"} in conditions
        assert policy_of(form)["expiration"] == "2026-11-23T12:30:00Z"

    @time_machine.travel(NOON, tick=False)
    def test_follows_the_settings(self, key: str, settings: Settings) -> None:
        settings.UPLOAD_FORM_SECONDS = 120
        settings.UPLOAD_MAX_BYTES = 5
        settings.UPLOADS_ENCRYPTION = "aws:kms"

        form = sign(key)

        assert policy_of(form)["expiration"] == "2026-11-23T12:02:00Z"
        assert ["content-length-range", 0, 5] in policy_of(form)["conditions"]
        assert {"x-amz-server-side-encryption": "aws:kms"} in policy_of(form)["conditions"]
        assert form.fields["x-amz-server-side-encryption"] == "aws:kms"

    @pytest.mark.parametrize("region", ["us-east-1", "us-east-2", "us-gov-west-1"])
    def test_names_the_regional_host(
        self, key: str, region: str, monkeypatch: pytest.MonkeyPatch, settings: Settings
    ) -> None:
        """A bucket's global host redirects to its region, and browsers follow no redirect across origins."""
        monkeypatch.delenv("AWS_ENDPOINT_URL")
        settings.AWS_ENDPOINT_URL, settings.AWS_REGION = "", region

        host = f"{settings.UPLOADS_BUCKET}.s3.{region}.amazonaws.com"
        assert (sign(key).url, urlsplit(sign_download(key)).netloc) == (f"https://{host}/", host)


def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")


def still_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a role give the same expired credentials again."""
    same = {"access_key": "id", "secret_key": "key", "token": "t", "expiry_time": "2020-01-01T00:00:00Z"}
    past = datetime.now(UTC) - timedelta(hours=1)
    credentials = RefreshableCredentials("id", "key", "session", past, lambda: same, "a-role")
    monkeypatch.setattr(clients._session(), "_credentials", credentials)


@pytest.mark.usefixtures("fresh_clients")
class TestWithoutCredentials:
    @pytest.mark.parametrize("fault", [no_credentials, still_expired])
    def test_is_unavailable(
        self, key: str, fault: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fault(monkeypatch)
        for signs in (sign, sign_download):
            with pytest.raises(UnavailableError):
                signs(key)


@pytest.mark.emulator
@pytest.mark.usefixtures("provisioned_emulator")
class TestUpload:
    @pytest.mark.parametrize("body", [BODY, b""], ids=["at the limit", "empty"])
    def test_stores_the_file_under_its_key_and_type(self, key: str, settings: Settings, body: bytes) -> None:
        settings.UPLOAD_MAX_BYTES = len(BODY)
        response = post(sign(key), body)

        assert response.ok, response.text
        assert response.headers["Access-Control-Allow-Origin"] in {EDITORS_ORIGIN, "*"}
        head = stored(settings, key)
        assert head["Body"].read() == body
        assert head["ContentType"] == "application/pdf"

    @pytest.mark.parametrize(
        "changes",
        [
            {"key": "private/user/78/another.pdf"},
            {"key": "private/project/1/${filename}"},
            {"Content-Type": "text/html"},
            {"acl": "public-read"},
            {"policy": "eyJjb25kaXRpb25zIjpbXX0="},
        ],
        ids="-".join,
    )
    def test_is_refused_with_anything_changed(
        self, key: str, settings: Settings, changes: dict[str, str]
    ) -> None:
        response = post(sign(key), changes=changes)

        assert 400 <= response.status_code < 500
        assert not is_there(settings, key)
        assert not is_there(settings, changes.get("key", key))

    def test_is_refused_when_too_large_or_too_late(self, key: str, settings: Settings) -> None:
        with time_machine.travel(datetime.now(UTC) - timedelta(seconds=settings.UPLOAD_FORM_SECONDS + 2)):
            late = post(sign(key))
        settings.UPLOAD_MAX_BYTES = len(BODY) - 1
        large = post(sign(key))

        assert (late.status_code, large.status_code) == (403, 400)
        assert "EntityTooLarge" in large.text
        assert not is_there(settings, key)

    def test_may_be_repeated_under_its_own_key(self, key: str, settings: Settings) -> None:
        form = sign(key)
        assert post(form, body=b"half of the file").ok
        assert post(form, file_name="../other.pdf").ok

        assert stored(settings, key)["Body"].read() == BODY
        objects = clients.s3().list_objects_v2(Bucket=settings.UPLOADS_BUCKET, Prefix=key)
        assert [entry["Key"] for entry in objects["Contents"]] == [key]


@pytest.fixture
def upload(key: str, settings: Settings) -> str:
    """Something in the bucket, stored as what a browser would run."""
    clients.s3().put_object(Bucket=settings.UPLOADS_BUCKET, Key=key, Body=BODY, ContentType="text/html")
    return key


@pytest.mark.emulator
@pytest.mark.usefixtures("provisioned_emulator")
class TestDownload:
    @pytest.mark.parametrize(
        ("name", "content_type", "disposition"),
        [
            ("plan.pdf", "application/pdf", 'inline; filename="plan.pdf"'),
            ("page.html", "application/octet-stream", 'attachment; filename="page.html"'),
        ],
    )
    def test_is_served_as_we_say_however_it_was_stored(
        self, upload: str, name: str, content_type: str, disposition: str
    ) -> None:
        response = requests.get(sign_download(upload, name), timeout=LIMIT_SECONDS)

        assert response.content == BODY
        assert response.headers["Content-Type"] == content_type
        assert response.headers["Content-Disposition"] == disposition

    @pytest.mark.parametrize("stored_key", ["a b & c.pdf", "100%.pdf", "план.pdf", "a+b.pdf", "x//y"])
    def test_reaches_keys_as_they_are_stored_today(self, settings: Settings, stored_key: str) -> None:
        key = f"private/project/1/{stored_key}"
        clients.s3().put_object(Bucket=settings.UPLOADS_BUCKET, Key=key, Body=BODY)

        assert requests.get(sign_download(key), timeout=LIMIT_SECONDS).content == BODY

    def test_is_refused_for_another_key_or_headers_and_later(self, upload: str) -> None:
        own_url, other_url = sign_download(upload), sign_download("private/project/1/x")
        with time_machine.travel(datetime.now(UTC) - timedelta(seconds=62)):
            old_url = sign_download(upload)

        for url in (
            own_url.replace("application%2Foctet-stream", "text%2Fhtml"),
            other_url.replace("private/project/1/x", upload),
            old_url,
        ):
            assert requests.get(url, timeout=LIMIT_SECONDS).status_code == 403
