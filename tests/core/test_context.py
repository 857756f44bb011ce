from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from apps.core import context

V1 = {"requestContext": {"requestId": "from-gateway", "identity": {"sourceIp": "192.0.2.1"}}}
V2 = {"requestContext": {"requestId": "from-gateway", "http": {"sourceIp": "192.0.2.2"}}}


class TestClientAddress:
    @pytest.mark.parametrize(("event", "address"), [(V1, "192.0.2.1"), (V2, "192.0.2.2")], ids=["v1", "v2"])
    def test_is_the_one_that_the_gateway_saw(self, event: dict[str, Any], address: str) -> None:
        environ = {"lambda.event": event, "REMOTE_ADDR": "203.0.113.9", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}

        assert context.client_address(environ) == address

    def test_is_the_peer_without_a_gateway(self) -> None:
        environ = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}

        assert context.client_address(environ) == "127.0.0.1"


class TestRequestId:
    @pytest.mark.parametrize(
        ("environ", "request_id"),
        [
            ({"lambda.event": V1, "HTTP_X_REQUEST_ID": "from-the-caller"}, "from-gateway"),
            ({"lambda.context": SimpleNamespace(aws_request_id="from-lambda")}, "from-lambda"),
            ({"HTTP_X_REQUEST_ID": "from-the-caller"}, "from-the-caller"),
        ],
        ids=["gateway", "lambda", "caller"],
    )
    def test_comes_from_the_nearest_that_has_one(self, environ: dict[str, Any], request_id: str) -> None:
        assert context.begin(environ).request_id == request_id

    @pytest.mark.parametrize(
        "insane", ["short", "x" * 65, "two words here", 'quote"quote"', "line\nline-line", "é" * 9]
    )
    def test_is_a_new_one_if_the_callers_is_not_sane(self, insane: str) -> None:
        request_id = context.begin({"HTTP_X_REQUEST_ID": insane}).request_id

        assert request_id != insane
        assert len(request_id) == 32

    @pytest.mark.parametrize("invalid", ["x\r\nSet-Cookie: a=b", "x" * 65, "", None])
    def test_ignores_an_invalid_one_of_the_gateways(self, invalid: str | None) -> None:
        environ = {
            "lambda.event": {"requestContext": {"requestId": invalid}},
            "lambda.context": SimpleNamespace(aws_request_id="from-lambda"),
        }

        assert context.begin(environ).request_id == "from-lambda"

    def test_may_be_that_of_an_http_api(self) -> None:
        environ = {"lambda.event": {"requestContext": {"requestId": "JKJaXmPLvHcESHA="}}}

        assert context.begin(environ).request_id == "JKJaXmPLvHcESHA="

    def test_is_forgotten_after_the_request(self) -> None:
        context.begin({})
        context.end()

        assert context.current().request_id == "-"
