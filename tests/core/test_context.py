from types import SimpleNamespace
from typing import Any

import pytest

from apps.core import context

LAMBDA = {"lambda.context": SimpleNamespace(aws_request_id="from-lambda")}
GATEWAY = {"gateway.request_id": "from-gateway"}


class TestBegin:
    def test_takes_no_forged_address(self) -> None:
        environ = {"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}

        assert context.begin(environ).client_address == "192.0.2.1"

    @pytest.mark.parametrize(
        ("environ", "request_id"),
        [
            ({**GATEWAY, **LAMBDA, "HTTP_X_REQUEST_ID": "from-the-caller"}, "from-gateway"),
            ({"gateway.request_id": "JKJaXmPLvHcESHA="}, "JKJaXmPLvHcESHA="),  # of an HTTP API
            ({"gateway.request_id": "x\r\nSet-Cookie: a=b", **LAMBDA}, "from-lambda"),
            ({"gateway.request_id": None, **LAMBDA}, "from-lambda"),
            ({"HTTP_X_REQUEST_ID": "from-the-caller"}, "from-the-caller"),
        ],
    )
    def test_takes_the_first_valid_id(self, environ: dict[str, Any], request_id: str) -> None:
        assert context.begin(environ).request_id == request_id

    @pytest.mark.parametrize("invalid", ["short", "x" * 65, 'quote"quote"', "line\nline-line", "é" * 9])
    def test_makes_an_id_if_the_callers_is_invalid(self, invalid: str) -> None:
        request_id = context.begin({"HTTP_X_REQUEST_ID": invalid}).request_id

        assert request_id != invalid
        assert len(request_id) == 32


class TestEnd:
    def test_forgets_the_request(self) -> None:
        context.begin({})
        context.end()

        assert context.current().request_id == "-"
