import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path
from threading import Barrier
from typing import Any

import jsonschema
import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from apps.core.http import problems, routes
from apps.reference import views
from tests.reference.document import DOCUMENT, IDS, OPERATIONS


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that a validator can resolve by itself."""
    return schema | {"components": DOCUMENT["components"]}


def described() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield everything that needs a description, by its place."""
    yield from ((tag["name"], tag) for tag in DOCUMENT["tags"])
    yield from DOCUMENT["components"]["headers"].items()
    for method, path, operation in OPERATIONS:
        for parameter in operation.get("parameters", ()):
            yield f"{method} {path} {parameter['name']}", parameter
        success = next(iter(operation["responses"].values()))
        for content in success.get("content", {}).values():
            yield from fields(f"{method} {path}", content["schema"])
    for name, schema in DOCUMENT["components"]["schemas"].items():
        yield name, schema
        yield from fields(name, schema)


def fields(name: str, schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((f"{name}.{field}", value) for field, value in schema.get("properties", {}).items())


class TestDocument:
    def test_is_the_same_for_several_first_readers(self) -> None:
        views.openapi_document.cache_clear()
        barrier = Barrier(4)

        def read(_number: int) -> dict[str, Any]:
            barrier.wait()
            return views.openapi_document()

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(read, range(4))) == [DOCUMENT] * 4

    def test_is_the_one_that_is_committed(self, tmp_path: Path, settings: Settings) -> None:
        committed = (settings.BASE_DIR / "openapi.yaml").read_text()
        settings.BASE_DIR = tmp_path
        call_command("openapi", stdout=StringIO())

        assert (tmp_path / "openapi.yaml").read_text() == committed, "Run `manage.py openapi`."

    def test_has_every_route(self) -> None:
        documented = {(method.upper(), path) for method, path, _ in OPERATIONS}
        served = {
            (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.path))
            for route in routes.listing()
            for method in route.methods
        }

        assert documented == served

    def test_describes_everything(self) -> None:
        assert [place for place, part in described() if not part.get("description")] == []

    def test_marks_what_is_ignored_as_deprecated(self) -> None:
        for name in ("NewUser", "ChangedUser"):
            properties = DOCUMENT["components"]["schemas"][name]["properties"]
            deprecated = {field for field, schema in properties.items() if schema.get("deprecated")}
            assert deprecated == {"is_coa_staff", "cognito_user_id", "date_added", "is_deleted"}

    def test_requires_every_field_of_an_answer(self) -> None:
        for name in ("User", "UserDetail", "Event", "Account"):
            schema = DOCUMENT["components"]["schemas"][name]
            assert set(schema["required"]) == schema["properties"].keys()

    def test_types_every_field(self) -> None:
        untyped = {
            (component, name)
            for component, schema in DOCUMENT["components"]["schemas"].items()
            for name, field in schema.get("properties", {}).items()
            if not field.keys() - {"description", "readOnly"}
        }

        assert untyped == {("Change", "from"), ("Change", "to")}  # values of any column
        roles = DOCUMENT["components"]["schemas"]["User"]["properties"]["roles"]
        assert (roles["type"], roles["items"]["type"]) == (["array", "null"], "string")

    def test_describes_a_project_id(self) -> None:
        parameters = DOCUMENT["paths"]["/files/request-signature"]["get"]["parameters"]
        (schema,) = (parameter["schema"] for parameter in parameters if parameter["name"] == "project_id")
        values = ("", "0", "65", "-5", "00", "abc", "1.0", "9" * 11)

        fitting = [value for value in values if jsonschema.Draft202012Validator(schema).is_valid(value)]
        assert fitting == ["", "0", "65"]


@pytest.mark.parametrize("operation", [operation for _, _, operation in OPERATIONS], ids=IDS)
class TestOperation:
    def test_names_the_headers_of_an_answer(self, operation: dict[str, Any]) -> None:
        headers = {"401": {"WWW-Authenticate"}, "429": {"Retry-After"}, "503": {"Retry-After"}}

        for status, answer in operation["responses"].items():
            assert answer["headers"].keys() == {"X-Request-ID"} | headers.get(status, set())

    def test_describes_every_answer(self, operation: dict[str, Any]) -> None:
        assert all(operation[name] for name in ("summary", "description"))
        good = [status for status in operation["responses"] if status < "400"]
        assert good
        assert all("content" in operation["responses"][status] or status == "204" for status in good)

    def test_has_examples_that_fit_their_schemas(self, operation: dict[str, Any]) -> None:
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        media = [content for body in bodies for content in body.get("content", {}).values()]

        assert media
        for content in media:
            assert content.get("examples"), "an example is missing"
            for example in content["examples"].values():
                jsonschema.validate(example["value"], resolved(content["schema"]))

    def test_forbids_unknown_fields_of_a_body(self, operation: dict[str, Any]) -> None:
        for content in operation.get("requestBody", {}).get("content", {}).values():
            example = next(iter(content["examples"].values()))["value"]
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.validate(example | {"unknown": 1}, resolved(content["schema"]))
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.validate(dict.fromkeys(example, ""), resolved(content["schema"]))

    def test_says_who_needs_a_token(self, operation: dict[str, Any]) -> None:
        closed = "401" in operation["responses"]

        assert (operation.get("security") == [{"idToken": []}]) == closed

    def test_gives_failures_the_one_body(self, operation: dict[str, Any]) -> None:
        failures = {status: answer for status, answer in operation["responses"].items() if status >= "400"}

        assert failures
        assert all(list(answer["content"]) == [problems.CONTENT_TYPE] for answer in failures.values())


class TestReference:
    def test_is_shown_to_people(self) -> None:
        page = APIClient().get("/docs/", headers={"accept": "text/html"})

        assert page.status_code == 200
        assert b"/docs/openapi.json" in page.content

        response = APIClient().post("/docs/")

        assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD")
        assert response.json()["code"] == "method_not_allowed"

    def test_names_the_prefix_of_its_stage(self) -> None:
        document = APIClient().get("/docs/openapi.json", SCRIPT_NAME="/staging").json()

        assert document["servers"] == [{"url": "/staging"}]


class TestCallingPage:
    def test_lists_every_error_code_with_its_status(self, settings: Settings) -> None:
        page = (settings.BASE_DIR / "docs/calling.md").read_text()
        table = page.partition("### Codes\n\n| code | status |\n|---|---|\n")[2].partition("\n\n")[0]
        rows = [row.strip("| ").split(" | ") for row in table.splitlines()]

        assert {(code, status) for codes, status in rows for code in re.findall("`(.*?)`", codes)} == {
            ("method_not_allowed", "405"),  # of every route, so the reference says it once, in words
            *(
                (code, status)
                for _, _, operation in OPERATIONS
                for status, answer in operation["responses"].items()
                for content in answer.get("content", {}).values()
                for part in content["schema"].get("allOf", ())
                for code in part.get("properties", {}).get("code", {}).get("enum", ())
            ),
        }
