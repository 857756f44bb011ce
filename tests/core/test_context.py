from types import SimpleNamespace
from typing import Any

import pytest

from apps.core import context

LAMBDA = {"lambda.context": SimpleNamespace(aws_request_id="from-lambda")}
GATEWAY = {"gateway.request_id": "from-gateway"}


class TestClientAddress:
    def test_cannot_be_forged(self) -> None:
        environ = {"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}

        assert context.begin(environ).client_address == "192.0.2.1"


class TestRequestId:
    @pytest.mark.parametrize(
        ("environ", "request_id"),
        [
            ({**GATEWAY, "HTTP_X_REQUEST_ID": "from-the-caller"}, "from-gateway"),
            ({"gateway.request_id": "JKJaXmPLvHcESHA="}, "JKJaXmPLvHcESHA="),  # of an HTTP API
            (LAMBDA, "from-lambda"),
            *(
                ({"gateway.request_id": invalid, **LAMBDA}, "from-lambda")
                for invalid in ("x\r\nSet-Cookie: a=b", "", None)
            ),
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
