"""AWS answers 200 with what is no answer of AWS, or does not answer at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from apps.claims import table as claims_table
from apps.claims.hasura import HasuraClaims
from apps.core import deadline
from apps.core.aws import clients
from apps.core.deadline import DeadlineError
from apps.core.errors import UpstreamError
from tests.core.answers import AnsweringServer, json_answer
from tests.users.test_gateways import CALLS as ALL_CALLS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CLAIMS = HasuraClaims.of(user_id="x", roles=["moped-editor"], database_id=1, workgroup_id=1)
# Written as in test_gateways, except that botocore must not refuse the item itself.
CALLS = ALL_CALLS | {("dynamodb", "PutItem"): lambda: claims_table._put({"user_id": {"S": "e"}}, {})}
HALF = b'{"UserAttributes": [{"Name": "email", "Val'
ANSWERS = {
    "a page": json_answer(b"<html><body>Sign in to the network</body></html>"),
    "half a body": json_answer(HALF, length=400),
    "half a body, of the promised length": json_answer(HALF),
    "a list": json_answer(b"[]"),
    "a deeply nested list": json_answer(b"[" * 20_000),
    "a deeply nested object": json_answer(b'{"a":' * 20_000),
    "a text": json_answer(b'"ok"'),
}
# Calls whose answer has content, with content of another shape.
MISSHAPEN: dict[tuple[str, str], bytes] = {
    ("cognito-idp", "AdminGetUser"): b"{}",
    ("cognito-idp", "ListUsers"): b'{"Users": [{}]}',
    ("cognito-idp", "AdminCreateUser"): b'{"User": "jane"}',
    ("cognito-idp", "DescribeUserPool"): b'{"UserPool": null}',
    ("dynamodb", "GetItem"): b'{"Item": [1]}',
    ("dynamodb", "Scan"): b"{}",
    ("secretsmanager", "GetSecretValue"): b'{"SecretString": 7}',
}


def name(value: object) -> str:
    return value[1] if isinstance(value, tuple) else ""


@pytest.fixture(autouse=True)
def _forgotten_clients() -> Iterator[None]:
    clients.forget_clients()
    yield
    clients.forget_clients()


def ask(server: AnsweringServer, monkeypatch: pytest.MonkeyPatch, call: Callable[[], Any]) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    call()


class TestWrongAnswers:
    """Each of them is our neighbour's fault, and says so: 502."""

    @pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
    @pytest.mark.parametrize("call", CALLS.values(), ids=[operation for _, operation in CALLS])
    def test_are_upstream_errors(
        self, call: Callable[[], Any], answer: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with AnsweringServer(answer) as server, pytest.raises(UpstreamError):
            ask(server, monkeypatch, call)

    @pytest.mark.parametrize("operation", MISSHAPEN, ids=name)
    def test_of_another_shape_are_upstream_errors(
        self, operation: tuple[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answer = json_answer(MISSHAPEN[operation])
        with AnsweringServer(answer) as server, pytest.raises(UpstreamError):
            ask(server, monkeypatch, CALLS[operation])


class TestNoAnswer:
    @pytest.mark.parametrize("call", CALLS.values(), ids=[operation for _, operation in CALLS])
    def test_ends_at_the_deadline_and_is_not_repeated(
        self, call: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with AnsweringServer(None) as server, deadline.within(0.05), pytest.raises(DeadlineError):
            ask(server, monkeypatch, call)
        assert server.requests <= 1
