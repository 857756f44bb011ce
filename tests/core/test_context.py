from types import SimpleNamespace
from typing import Any

import pytest

from apps.core import context

V1 = {"requestContext": {"requestId": "from-gateway", "identity": {"sourceIp": "192.0.2.1"}}}
V2 = {"requestContext": {"requestId": "from-gateway", "http": {"sourceIp": "192.0.2.2"}}}


FORGED = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}
LAMBDA = {"lambda.context": SimpleNamespace(aws_request_id="from-lambda")}


def gateway(request_id: str | None) -> dict[str, Any]:
    return {"lambda.event": {"requestContext": {"requestId": request_id}}}


class TestClientAddress:
    @pytest.mark.parametrize(
        ("environ", "address"),
        [({"lambda.event": V1}, "192.0.2.1"), ({"lambda.event": V2}, "192.0.2.2"), ({}, "127.0.0.1")],
        ids=["v1", "v2", "no gateway"],
    )
    def test_cannot_be_forged(self, environ: dict[str, Any], address: str) -> None:
        assert context.client_address(FORGED | environ) == address


class TestRequestId:
    @pytest.mark.parametrize(
        ("environ", "request_id"),
        [
            ({"lambda.event": V1, "HTTP_X_REQUEST_ID": "from-the-caller"}, "from-gateway"),
            (gateway("JKJaXmPLvHcESHA="), "JKJaXmPLvHcESHA="),  # of an HTTP API
            (LAMBDA, "from-lambda"),
            *((gateway(invalid) | LAMBDA, "from-lambda") for invalid in ("x\r\nSet-Cookie: a=b", "", None)),
            ({"HTTP_X_REQUEST_ID": "from-the-caller"}, "from-the-caller"),
        ],
    )
    def test_is_the_first_valid_one(self, environ: dict[str, Any], request_id: str) -> None:
        assert context.begin(environ).request_id == request_id

    @pytest.mark.parametrize(
        "invalid", ["short", "x" * 65, "two words here", 'quote"quote"', "line\nline-line", "é" * 9]
    )
    def test_is_a_new_one_if_the_callers_is_invalid(self, invalid: str) -> None:
        request_id = context.begin({"HTTP_X_REQUEST_ID": invalid}).request_id

        assert request_id != invalid
        assert len(request_id) == 32

    def test_is_forgotten_after_the_request(self) -> None:
        context.begin({})
        context.end()

        assert context.current().request_id == "-"
