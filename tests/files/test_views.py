"""The two calls of the editor, as it makes them."""

import logging
import re
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pytest
from rest_framework.test import APIClient

from apps.files.models import Person, Project
from tests.conftest import Caller
from tests.files.conftest import OWN_ID, make_file

AS_THE_EDITOR: dict[str, Any] = {
    "content_type": "text/plain;charset=UTF-8",
    "HTTP_ORIGIN": "https://moped.example",
}
KEY = "private/project/1/80_04072022191747_40d4c982e064d0f9_plan.pdf"


def request_signature(client: APIClient, **query: Any) -> Any:
    return client.get("/files/request-signature", query, **AS_THE_EDITOR)


def download(client: APIClient, key: str) -> Any:
    return client.get(f"/files/download/{key}", **AS_THE_EDITOR)


class TestHealth:
    @pytest.mark.parametrize("path", ["/files/", "/files"])
    def test_says_what_monitors_read(self, api_client: APIClient, path: str) -> None:
        message = api_client.get(path).json()["message"]
        assert re.fullmatch(
            r"MOPED API Available - Files - Health Check - Available @ [0-9-]{10} [0-9:]{8}", message
        )


class TestRequestSignature:
    def test_answers_what_the_editor_reads(self, calling: Caller, person: Person, project: Project) -> None:
        response = request_signature(calling(), file="My_Plan (1).pdf", project_id=project.pk)

        assert response.status_code == 200
        assert response.headers["Access-Control-Allow-Origin"] == "https://moped.example"
        body = response.json()
        assert (body["message"], body["status"]) == ("permission granted", "success")
        assert body["filename"] == body["credentials"]["fields"]["key"]
        assert body["credentials"]["url"].startswith("http")
        assert all(isinstance(value, str) for value in body["credentials"]["fields"].values())
        label = re.sub(r"^(?:[^_]*_){3}", "", body["filename"])  # the editor's own expression
        assert label == "my_plan1.pdf"

    @pytest.mark.parametrize(
        ("query", "kind"),
        [({}, "private"), ({"project_id": ""}, "private"), ({"project_id": "0", "type": "public"}, "public")],
        ids=str,
    )
    def test_takes_no_project_for_a_file_of_ones_own(
        self, calling: Caller, person: Person, query: dict[str, str], kind: str
    ) -> None:
        response = request_signature(calling(), file="me.png", **query)
        assert response.json()["filename"].startswith(f"{kind}/user/{OWN_ID}/")

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({}, "file"),
            ({"file": "noextension"}, "file"),
            ({"file": "a\x00.pdf"}, "file"),
            ({"file": ["a.pdf", "b.pdf"]}, "file"),
            ({"file": "a.pdf", "project_id": "abc"}, "project_id"),
            ({"file": "a.pdf", "project_id": "00"}, "project_id"),
            ({"file": "a.pdf", "project_id": "0\n"}, "project_id"),
            ({"file": "a.pdf", "project_id": "\u0661"}, "project_id"),
            ({"file": "a.pdf", "project_id": "9" * 10_000}, "project_id"),
            ({"file": "a.pdf", "project_id": str(2**31)}, "project_id"),
            ({"file": "a.pdf", "type": "secret"}, "type"),
            ({"file": "a.pdf", "type": ""}, "type"),
        ],
        ids=lambda value: ascii(value)[:60],
    )
    def test_names_the_field_that_is_wrong(
        self, calling: Caller, person: Person, query: dict[str, Any], field: str
    ) -> None:
        response = request_signature(calling(), **query)

        assert response.status_code == 400
        problem = response.json()
        assert list(problem["error"]) == [field]
        assert isinstance(problem["error"][field], list)

    def test_refuses_a_caller_without_a_row(self, calling: Caller, db: None) -> None:
        response = request_signature(calling(), file="a.pdf")
        assert (response.status_code, response.json()["code"]) == (403, "database_id_refused")


class TestDownload:
    def test_answers_what_the_editor_reads(
        self, calling: Caller, person: Person, project: Project, caplog: pytest.LogCaptureFixture
    ) -> None:
        make_file(KEY, project, person)

        with caplog.at_level(logging.INFO, logger="apps.files.services"):
            response: Any = calling().get(f"/files/download/{KEY}", REMOTE_ADDR="203.0.113.9")

        assert response.status_code == 200
        body = response.json()
        assert (body["message"], body["status"]) == ("success", "success")
        assert KEY in body["download_url"]
        lines = [line for line in caplog.records if line.message == "file_download_signed"]
        assert [vars(line)["client"] for line in lines] == ["203.0.113.9"]

    @pytest.mark.parametrize(
        ("stored_key", "path"),
        [
            (KEY, f"/{KEY}"),
            (KEY, quote(KEY, safe="")),
            ("private/project/1/100%.pdf", "private/project/1/100%.pdf"),
            ("private/project/1/a%20b.pdf", "private/project/1/a%2520b.pdf"),
            ("private/project/1/план.pdf", quote("private/project/1/план.pdf")),
            ("private/project/1//a//b", "private/project/1//a//b"),
            ("private/project/12abc/x.pdf", "private/project/12abc/x.pdf"),
            ("private/project/1/ends/", "private/project/1/ends/"),
            ("/private/project/1/x.pdf", "private/project/1/x.pdf"),
        ],
        ids=ascii,
    )
    def test_finds_keys_as_browsers_send_them(
        self, calling: Caller, person: Person, project: Project, stored_key: str, path: str
    ) -> None:
        make_file(stored_key, project, person)
        url = urlsplit(download(calling(), path).json()["download_url"])
        assert unquote(url.path).endswith(f"/{stored_key.lstrip('/')}")

    @pytest.mark.parametrize(
        "path",
        [
            "private/project/1/unknown.pdf",
            "private/project/1/%2e%2e/%2e%2e/user/78/x",
            "private/project/1/%ff%fe",
            "//",
        ],
        ids=lambda value: value[:40],
    )
    def test_knows_nothing_of_any_other(self, calling: Caller, person: Person, path: str) -> None:
        response = download(calling(), path)
        assert response.status_code == 404
        assert "download_url" not in response.json()
