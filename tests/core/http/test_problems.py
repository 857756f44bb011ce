import json
import logging

import pytest
from rest_framework.test import APIClient

from apps.core import errors
from apps.core.http import problems
from apps.core.logging import JsonFormatter
from tests.core.http.broken_urls import FAILURES

pytestmark = pytest.mark.urls("tests.core.http.broken_urls")


@pytest.fixture
def client() -> APIClient:
    return APIClient(raise_request_exception=False)


class TestEveryFailure:
    @pytest.mark.parametrize("name", FAILURES)
    def test_has_the_one_body(self, client: APIClient, name: str) -> None:
        response, failure = client.get(f"/fail/{name}"), FAILURES[name]

        body = response.json()
        assert (response.status_code, body["code"]) == (failure.status, failure.code)
        assert response.headers["Content-Type"] == "application/problem+json"
        assert body.keys() - {"error"} == {"type", "title", "status", "code", "detail", "request_id"}
        assert (body["type"], body["status"]) == ("about:blank", response.status_code)
        assert body["request_id"] == response.headers["X-Request-ID"]
        assert body.get("error") == failure.fields
        assert "secret" not in body["detail"]
        assert name != "general" or body["detail"] == "These two contradict each other."

    @pytest.mark.parametrize(
        ("failure", "header", "value"),
        [
            ("unavailable", "Retry-After", "5"),
            ("throttled", "Retry-After", "3"),
            (
                "unauthenticated",
                "WWW-Authenticate",
                'Bearer realm="moped", error="invalid_token", error_description="Sign in first."',
            ),
        ],
    )
    def test_has_the_header_of_its_status(
        self, client: APIClient, failure: str, header: str, value: str
    ) -> None:
        assert client.get(f"/fail/{failure}").headers[header] == value


class TestDjangosOwnRefusals:
    @pytest.mark.parametrize(
        ("path", "headers", "status", "code"),
        [
            ("/nowhere", {}, 404, "not_found"),
            ("/plain/suspicious", {}, 400, "bad_request"),
            ("/echo/", {"host": "evil.example"}, 400, "bad_request"),
            ("/plain/large", {}, 413, "body_too_large"),
            ("/plain/denied", {}, 403, "forbidden"),
            ("/plain/crash", {}, 500, "internal_error"),
        ],
    )
    def test_have_the_same_body(
        self, client: APIClient, path: str, headers: dict[str, str], status: int, code: str
    ) -> None:
        response = client.get(path, headers=headers)

        assert (response.status_code, response.json()["code"]) == (status, code)
        assert response.headers["Content-Type"] == "application/problem+json"

    def test_are_no_crash_in_the_log(self, client: APIClient, caplog: pytest.LogCaptureFixture) -> None:
        client.get("/plain/suspicious")

        assert [(record.message, record.exc_info) for record in caplog.records] == [
            ("suspicious_request", None),
            ("request", None),
        ]

    def test_are_a_page_for_a_browser(self, client: APIClient) -> None:
        response = client.get("/nowhere", headers={"accept": "text/html"})

        assert response.headers["Content-Type"].startswith("text/html")
        assert "There is no such page" in response.content.decode()


class TestBodies:
    @pytest.mark.parametrize(
        ("body", "content_type", "status", "code"),
        [
            ('{"a": 1}', "application/json", 200, None),
            ('{"a": 1}', "Application/JSON; charset=utf-8", 200, None),
            ("{", "application/json", 400, "parse_error"),
            ("", "application/json", 200, None),
            ("[]", "application/json", 400, "parse_error"),
            ('{"a": NaN}', "application/json", 400, "parse_error"),
            (b'{"a": "\xff"}', "application/json", 400, "parse_error"),
            ('{"a": 1}', "text/plain", 415, "unsupported_media_type"),
            ('{"a": 1}', "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
            ("x" * 70_000, "application/json", 413, "body_too_large"),
        ],
        ids=lambda value: str(value)[:24],
    )
    def test_are_json_objects_of_a_bounded_size(
        self, client: APIClient, body: str | bytes, content_type: str, status: int, code: str | None
    ) -> None:
        response = client.generic("POST", "/echo", body, content_type=content_type)  # type: ignore[arg-type]

        assert response.status_code == status
        assert response.json().get("code") == code

    def test_wrong_methods_are_refused_in_the_one_body(self, client: APIClient) -> None:
        response = client.put("/echo", {})

        assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
        assert response.headers["Allow"] == "POST, OPTIONS"


class TestTitle:
    def test_is_the_same_from_every_python(self) -> None:
        assert problems.title(413) == "Content Too Large"


class TestStatusOfKind:
    def test_has_every_kind(self) -> None:
        kinds = {kind for kind in vars(errors).values() if isinstance(kind, type)}

        assert kinds - {errors.MopedError} == problems.STATUS_OF_KIND.keys()


class TestLog:
    @pytest.mark.parametrize("path", ["/fail/crash", "/plain/crash"])
    def test_has_one_traceback_of_a_crash(
        self, client: APIClient, caplog: pytest.LogCaptureFixture, path: str
    ) -> None:
        client.get(path)

        lines = [json.loads(JsonFormatter().format(record)) for record in caplog.records]
        assert [(line["event"], "traceback" in line) for line in lines] == [
            ("crash", True),
            ("request", False),
        ]
        assert "Error" in lines[0]["traceback"]
        assert lines[1]["stage"] == "test"

    def test_has_the_reason_code_and_the_route(
        self, client: APIClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.INFO, "moped.request"):
            client.get("/fail/conflict")

        (line,) = [vars(record) for record in caplog.records if record.name == "moped.request"]
        assert (line["status"], line["code"], line["route"]) == (409, "taken", "fail/<failure>")
