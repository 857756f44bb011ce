"""What the bucket makes of our signatures: an emulator that enforces them, over the wire."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import uuid4

import pytest
import requests
import time_machine
from pytest_django.fixtures import Settings

from apps.core.aws import clients
from apps.files import adapters, names
from tests.support.waiting import LIMIT_SECONDS

pytestmark = [pytest.mark.emulator, pytest.mark.usefixtures("provisioned_emulator")]

EDITORS_ORIGIN = "https://localhost:3000"
BODY = bytes(range(256)) * 40


@pytest.fixture
def key() -> str:
    """A key that no other test uses."""
    return f"private/project/1/77_11232026050403_{uuid4().hex[:16]}_plan.pdf"


def sign(key: str) -> adapters.PresignedPost:
    return adapters.presign_upload(key=key, media_type="application/pdf")


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

    def test_is_refused_when_too_large(self, key: str, settings: Settings) -> None:
        settings.UPLOAD_MAX_BYTES = len(BODY) - 1
        response = post(sign(key))

        assert response.status_code == 400
        assert "EntityTooLarge" in response.text
        assert not is_there(settings, key)

    def test_is_refused_after_its_time(self, key: str, settings: Settings) -> None:
        with time_machine.travel(datetime.now(UTC) - timedelta(seconds=settings.UPLOAD_SECONDS + 2)):
            form = sign(key)

        assert post(form).status_code == 403
        assert not is_there(settings, key)

    @pytest.mark.parametrize("other", ["private/project/1/other.pdf", "{key}x", "{key}/${{filename}}"])
    def test_may_be_repeated_but_reaches_no_other_key(self, key: str, settings: Settings, other: str) -> None:
        form = sign(key)
        assert post(form, body=b"half of the file").ok
        assert post(form, file_name="../other.pdf").ok
        second = post(form, body=b"another file", changes={"key": other.format(key=key)})

        assert second.status_code == 403
        assert stored(settings, key)["Body"].read() == BODY
        objects = clients.s3().list_objects_v2(Bucket=settings.UPLOADS_BUCKET, Prefix=key)
        assert [entry["Key"] for entry in objects["Contents"]] == [key]
        assert not is_there(settings, "private/project/1/other.pdf")
        assert not is_there(settings, "private/project/other.pdf")


@pytest.fixture
def upload(key: str, settings: Settings) -> str:
    """Something in the bucket, stored as what a browser would run."""
    clients.s3().put_object(Bucket=settings.UPLOADS_BUCKET, Key=key, Body=BODY, ContentType="text/html")
    return key


class TestDownload:
    @pytest.mark.parametrize(
        ("name", "content_type", "disposition"),
        [
            ("plan.pdf", "application/pdf", 'inline; filename="plan.pdf"'),
            ("page.html", "application/octet-stream", 'attachment; filename="page.html"'),
            (
                "план.svg",
                "application/octet-stream",
                "attachment; filename*=utf-8''%D0%BF%D0%BB%D0%B0%D0%BD.svg",
            ),
        ],
    )
    def test_is_served_as_we_say_however_it_was_stored(
        self, upload: str, name: str, content_type: str, disposition: str
    ) -> None:
        url = adapters.presign_download(key=upload, presentation=names.presentation(name))
        response = requests.get(url, timeout=LIMIT_SECONDS)

        assert response.content == BODY
        assert response.headers["Content-Type"] == content_type
        assert response.headers["Content-Disposition"] == disposition

    @pytest.mark.parametrize(
        "stored_key", ["a b & c.pdf", "100%.pdf", "a%20b.pdf", "план.pdf", "a+b.pdf", "x//y"]
    )
    def test_reaches_keys_as_they_are_stored_today(self, settings: Settings, stored_key: str) -> None:
        key = f"private/project/1/{stored_key}"
        clients.s3().put_object(Bucket=settings.UPLOADS_BUCKET, Key=key, Body=BODY)
        url = adapters.presign_download(key=key, presentation=names.presentation("x.pdf"))

        assert requests.get(url, timeout=LIMIT_SECONDS).content == BODY

    def test_is_refused_for_another_key_or_another_way_of_serving(self, upload: str) -> None:
        html = names.presentation("x.html")
        own_url = adapters.presign_download(key=upload, presentation=html)
        other_url = adapters.presign_download(key="private/project/1/x", presentation=html)

        for tampered in (
            own_url.replace("application%2Foctet-stream", "text%2Fhtml"),
            other_url.replace("private/project/1/x", upload),
        ):
            assert requests.get(tampered, timeout=LIMIT_SECONDS).status_code == 403

    def test_is_refused_after_its_minute(self, upload: str) -> None:
        with time_machine.travel(datetime.now(UTC) - timedelta(seconds=62)):
            url = adapters.presign_download(key=upload, presentation=names.presentation("x.pdf"))

        assert requests.get(url, timeout=LIMIT_SECONDS).status_code == 403
