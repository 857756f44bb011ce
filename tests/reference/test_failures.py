"""Whatever goes wrong, the answer stands in the reference."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import jsonschema
import pytest
from django.db import OperationalError, connection

from apps.auth import current_roles
from apps.core.aws import clients, secrets
from apps.health import probes
from tests.reference.document import DOCUMENT, IDS, OPERATIONS

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from tests.conftest import Impersonate

VALUES = {
    "user_id": "22222222-2222-4222-8222-222222222222",
    "key": "private/user/1/none.pdf",
    "file": "plan.pdf",
}

every_operation = pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=IDS)


def call(client: APIClient, method: str, path: str, operation: dict[str, Any], **query: str) -> Any:
    """Call an operation as its reference shows it."""
    filled = re.sub(r"{(\w+)}", lambda parameter: VALUES[parameter[1]], path)
    required = {
        p["name"] for p in operation.get("parameters", []) if p.get("required") and p["in"] == "query"
    }
    query_string = urlencode({**{name: VALUES[name] for name in required}, **query})
    media = operation.get("requestBody", {}).get("content", {}).get("application/json")
    body = next(iter(media["examples"].values()))["value"] if media else None
    return client.generic(
        method.upper(),
        f"{filled}?{query_string}",
        "" if body is None else json.dumps(body),
        content_type="application/json",
    )


def refuse(*_: object, **__: object) -> None:
    raise OperationalError("the database is away")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "ATTEMPTS", 1)
    for forget in (clients.forget_clients, secrets.forget, probes.forget):
        forget()


def stands_in_the_reference(answer: Any, operation: dict[str, Any]) -> None:
    response = operation["responses"].get(str(answer.status_code))
    assert response, (answer.status_code, answer.content)
    media = response.get("content", {}).get(answer.headers["Content-Type"])
    assert media, answer.headers["Content-Type"]
    jsonschema.validate(answer.json(), media["schema"] | {"components": DOCUMENT["components"]})


@pytest.mark.django_db
class TestEveryOperation:
    @every_operation
    def test_says_what_it_answers_without_aws(
        self, impersonate: Impersonate, method: str, path: str, operation: dict[str, Any]
    ) -> None:
        stands_in_the_reference(call(impersonate("admin"), method, path, operation), operation)

    @every_operation
    def test_says_what_it_answers_while_rights_cannot_be_checked(
        self, impersonate: Impersonate, method: str, path: str, operation: dict[str, Any]
    ) -> None:
        client = impersonate("admin")
        current_roles.invalidate()

        stands_in_the_reference(call(client, method, path, operation), operation)

    @every_operation
    def test_says_what_it_answers_without_a_database(
        self,
        impersonate: Impersonate,
        monkeypatch: pytest.MonkeyPatch,
        method: str,
        path: str,
        operation: dict[str, Any],
    ) -> None:
        monkeypatch.setattr(connection, "cursor", refuse)
        monkeypatch.setattr(connection, "chunked_cursor", refuse)

        stands_in_the_reference(call(impersonate("admin"), method, path, operation), operation)

    @every_operation
    def test_says_what_it_answers_to_what_django_finds_suspicious(
        self, impersonate: Impersonate, method: str, path: str, operation: dict[str, Any]
    ) -> None:
        many = {f"field{number}": "" for number in range(2_000)}

        answer = call(impersonate("admin"), method, path, operation, **many)

        if answer.status_code < 400:
            return  # it never looked
        stands_in_the_reference(answer, operation)
