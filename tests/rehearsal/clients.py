"""Clients of a stage: over HTTP through its gateway, or with events through Lambda's runtime client."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

from apps.deployment.smoke import event
from tests.support.waiting import LIMIT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.lambda_runtime import Function

FORBIDDEN = {401, 403}
CRASHED = 500


@dataclass(frozen=True)
class Answer:
    """The answer to one request."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


def over_http(port: int, host: str, prefix: str = "") -> Callable[..., Answer]:
    """Return a caller of a stage by the host name that its gateway has on this machine."""

    def call(method: str, path: str, token: str = "") -> Answer:
        connection = HTTPConnection("127.0.0.1", port, timeout=LIMIT_SECONDS)
        headers = {"Host": host, **({"Authorization": f"Bearer {token}"} if token else {})}
        connection.request(method, f"{prefix}{path}", headers=headers)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return Answer(response.status, _json(content), {k.lower(): v for k, v in response.getheaders()})

    return call


def through_runtime(function: Function, version: int) -> Callable[..., Answer]:
    """Return a caller with the events of a REST API (1) or of a function URL (2)."""

    def call(method: str, path: str, token: str = "") -> Answer:
        request = event(path, "127.0.0.1", token, method) if version == 1 else _url_event(method, path, token)
        outcome = function.invoke(request)
        if outcome.error:
            return Answer(CRASHED, outcome.error)
        return Answer(outcome.result["statusCode"], _json((outcome.result.get("body") or "").encode()))

    return call


def walk(call: Callable[..., Answer], callers: dict[str, Any]) -> tuple[int, list[str]]:
    """Call every route as every persona and without a token. Return the number of calls and the faults."""
    tokens = {"anonymous": "", **{key: token for key, token in callers["tokens"].items() if token}}
    count, faults = 0, []
    for route in callers["calls"]:
        for caller, token in tokens.items():
            answer = call(route["method"], route["path"], token)
            count += 1
            accepted = answer.status not in FORBIDDEN
            if answer.status >= CRASHED or accepted != (caller in route["allowed"]):
                faults.append(f"{route['method']} {route['path']} as {caller}: {answer.status} {answer.body}")
    return count, faults


def _url_event(method: str, path: str, token: str) -> dict[str, Any]:
    headers = {"host": "127.0.0.1", **({"authorization": f"Bearer {token}"} if token else {})}
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "requestId": "rehearsal-of-a-url",
            "http": {"method": method, "path": path, "sourceIp": "127.0.0.1"},
        },
        "isBase64Encoded": False,
    }


def _json(content: bytes) -> Any:
    try:
        return json.loads(content or b"null")
    except ValueError:
        return content[:300].decode(errors="replace")
