"""
Errors and wrong answers of AWS, for every call that the adapters make.

The list of errors is botocore's own model of the services, so that an update of boto3 shows new ones.
"""

import re
from collections.abc import Callable
from functools import partial
from inspect import getsource
from typing import Any
from unittest.mock import MagicMock

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from apps.claims import items as claims_items
from apps.claims.items import ClaimsChangedError
from apps.core import deadline
from apps.core.aws import clients, secrets
from apps.core.aws.errors import StoreMissingError
from apps.core.deadline import DeadlineError
from apps.core.errors import MopedError, UnavailableError, UpstreamError
from apps.users import errors
from apps.users.adapters import cognito
from tests.support.emulator_fixtures import clients_call
from tests.support.http_stub import StubServer, hanging, sending

# (service, operation) → how we come to call it
CALLS: dict[tuple[str, str], Callable[[], Any]] = {
    ("cognito-idp", "AdminGetUser"): partial(cognito.get_or_none, "name"),
    ("cognito-idp", "ListUsers"): partial(cognito.find, "jane@austintexas.gov"),
    ("cognito-idp", "AdminCreateUser"): partial(cognito.create, email="e", password="p", mark="m"),
    ("cognito-idp", "AdminSetUserPassword"): partial(cognito.set_password, "name", "p"),
    ("cognito-idp", "AdminUpdateUserAttributes"): partial(cognito.set_email, "name", "e", is_verified=True),
    ("cognito-idp", "AdminEnableUser"): partial(cognito.enable, "name"),
    ("cognito-idp", "AdminUserGlobalSignOut"): partial(cognito.sign_out, "name"),
    ("cognito-idp", "AdminDeleteUser"): partial(cognito.delete, "name"),
    ("cognito-idp", "DescribeUserPool"): cognito.pre_token_function_arn,
    ("dynamodb", "GetItem"): partial(claims_items.get, "e"),
    ("dynamodb", "PutItem"): partial(claims_items._put, {"user_id": {"S": "e"}}, {}),
    ("dynamodb", "DeleteItem"): partial(claims_items.delete, "e"),
    ("dynamodb", "Scan"): lambda: list(claims_items.scan()),
    ("secretsmanager", "GetSecretValue"): partial(secrets._read, "name"),
}

UNAVAILABLE = {
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
}
ERROR_CLASSES: dict[str, type[MopedError]] = {
    "UserNotFoundException": errors.AccountNotFoundError,
    "UsernameExistsException": errors.AddressTakenError,
    "AliasExistsException": errors.AddressTakenError,
    "InvalidPasswordException": errors.WeakPasswordError,
    "PasswordHistoryPolicyViolationException": errors.WeakPasswordError,
    "ConditionalCheckFailedException": ClaimsChangedError,
    "ResourceNotFoundException": StoreMissingError,
}
# Where a call means something else by it. None: it returns, because there is nothing to do.
HERE: dict[tuple[str, str], type[MopedError] | None] = {
    ("AdminGetUser", "UserNotFoundException"): None,
    ("AdminDeleteUser", "UserNotFoundException"): None,
    ("AdminUserGlobalSignOut", "UserNotFoundException"): None,
    ("AdminCreateUser", "InvalidParameterException"): errors.AddressRefusedError,
    ("AdminUpdateUserAttributes", "InvalidParameterException"): errors.AddressRefusedError,
    ("AdminSetUserPassword", "InvalidParameterException"): errors.WeakPasswordError,
    ("DeleteItem", "ConditionalCheckFailedException"): UpstreamError,  # it has no condition
    ("GetSecretValue", "ResourceNotFoundException"): secrets.SecretError,
    ("GetSecretValue", "InternalServiceError"): UnavailableError,
}


def documented(service: str, operation: str) -> list[str]:
    model = botocore.session.get_session().get_service_model(service)
    return sorted(shape.name for shape in model.operation_model(operation).error_shapes)


def method_name(operation: str) -> str:
    return str(xform_name(operation))


def expected(operation: str, code: str) -> type[MopedError] | None:
    if (operation, code) in HERE:
        return HERE[operation, code]
    if code in ERROR_CLASSES:
        return ERROR_CLASSES[code]
    # All others mean that the stage is set up wrongly, or that AWS is broken.
    return UnavailableError if code in UNAVAILABLE else UpstreamError


def json_answer(body: bytes, *, length: int | None = None) -> bytes:
    """Return a 200 of AWS with this body, whose header may promise more."""
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nConnection: close\r\n"
        f"Content-Length: {len(body) if length is None else length}\r\n\r\n"
    )
    return head.encode() + body


HALF = b'{"UserAttributes": [{"Name": "email", "Val'
ANSWERS = {
    "a page": json_answer(b"<html><body>Sign in to the network</body></html>"),
    "half a body": json_answer(HALF, length=400),
    "a list": json_answer(b"[]"),
    "a deeply nested list": json_answer(b"[" * 20_000),
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
WRONG_ANSWERS = {
    **{f"{key[1]} {name}": (CALLS[key], answer) for key in CALLS for name, answer in ANSWERS.items()},
    **{f"{key[1]} misshapen": (CALLS[key], json_answer(body)) for key, body in MISSHAPEN.items()},
}

ERRORS = [
    (service, operation, code) for service, operation in CALLS for code in documented(service, operation)
]


class TestErrors:
    @pytest.mark.parametrize(("service", "operation", "code"), ERRORS, ids=[f"{o} {c}" for _, o, c in ERRORS])
    def test_all_have_a_class(
        self, monkeypatch: pytest.MonkeyPatch, service: str, operation: str, code: str
    ) -> None:
        failure = ClientError({"Error": {"Code": code, "Message": "with a secret"}}, operation)
        client = MagicMock()
        client.get_paginator.return_value.paginate.return_value.__iter__.side_effect = failure
        for name in {method_name(operation) for _, operation in CALLS}:
            getattr(client, name).side_effect = failure
        for name in ("cognito", "dynamodb", "secrets_manager"):
            monkeypatch.setattr(clients, name, lambda: client)

        error: MopedError | None = None
        try:
            CALLS[service, operation]()
        except MopedError as raised:
            error = raised

        assert (error and type(error)) is expected(operation, code)
        assert "secret" not in str(error)

    def test_are_known_for_every_call_of_the_adapters(self) -> None:
        sources = "".join(map(getsource, (cognito, claims_items, secrets)))
        calls = set(re.findall(r"\b(?:cognito|dynamodb|secrets_manager)\(\)\.(\w+)", sources))

        assert calls - {"get_paginator"} | {"scan"} == {method_name(operation) for _, operation in CALLS}


class TestWrongAnswers:
    """Each of them is our neighbour's fault, and says so: 502."""

    @pytest.mark.parametrize(("call", "answer"), WRONG_ANSWERS.values(), ids=WRONG_ANSWERS)
    def test_are_upstream_errors(self, call: Callable[[], Any], answer: bytes) -> None:
        with StubServer(sending(answer)) as server, clients_call(server.url), pytest.raises(UpstreamError):
            call()


class TestNoAnswer:
    @pytest.mark.parametrize("call", CALLS.values(), ids=[operation for _, operation in CALLS])
    def test_ends_at_the_deadline_and_is_not_repeated(self, call: Callable[[], Any]) -> None:
        late = pytest.raises(DeadlineError)
        with StubServer(hanging) as server, clients_call(server.url), deadline.limit(0.05), late:
            call()
        assert len(server.asked) <= 1
