"""Whatever goes wrong, the answer stands in the reference."""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import jsonschema
import pytest
from django.db import OperationalError, connection
from rest_framework.test import APIClient

from apps.auth import current_roles
from apps.core.aws import clients, secrets
from apps.health import probes
from tests.conftest import Impersonate
from tests.reference.document import DOCUMENT, IDS, OPERATIONS

VALUES = {
    "user_id": "22222222-2222-4222-8222-222222222222",
    "key": "private/user/1/none.pdf",
    "file": "plan.pdf",
}


def call(client: APIClient, method: str, path: str, operation: dict[str, Any], query: dict[str, str]) -> Any:
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


def forget_rights(_: pytest.MonkeyPatch) -> None:
    current_roles.invalidate()


def lose_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "cursor", refuse)
    monkeypatch.setattr(connection, "chunked_cursor", refuse)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "ATTEMPTS", 1)
    for forget in (clients.forget_clients, secrets.forget, probes._cache.clear):
        forget()


# AWS is away in all of them. Django finds a query with so many fields suspicious.
@pytest.mark.django_db
@pytest.mark.parametrize("called", OPERATIONS, ids=IDS)
@pytest.mark.parametrize(
    ("fault", "fields"), [(None, 0), (forget_rights, 0), (lose_the_database, 0), (None, 2_000)]
)
class TestEveryOperation:
    def test_answers_what_the_reference_says(
        self,
        impersonate: Impersonate,
        monkeypatch: pytest.MonkeyPatch,
        fault: Callable[[pytest.MonkeyPatch], None] | None,
        fields: int,
        called: tuple[str, str, dict[str, Any]],
    ) -> None:
        client = impersonate("admin")
        if fault:
            fault(monkeypatch)

        answer = call(client, *called, {f"field{number}": "" for number in range(fields)})

        if fields and answer.status_code < 400:
            return  # the view reads no query
        response = called[2]["responses"].get(str(answer.status_code))
        assert response, (answer.status_code, answer.content)
        media = response.get("content", {}).get(answer.headers["Content-Type"])
        assert media, answer.headers["Content-Type"]
        jsonschema.validate(answer.json(), media["schema"] | {"components": DOCUMENT["components"]})
