"""
Every error that AWS documents for a call of ours has a name of ours.

The list is botocore's own model of the services, so that a new error shows when boto3 is updated.
"""

from __future__ import annotations

import ast
from functools import partial
from inspect import getsource
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from apps.claims import items as claims_items
from apps.claims import table as claims_table
from apps.claims.errors import ClaimsChangedError
from apps.claims.hasura import HasuraClaims
from apps.core.aws import clients, secrets
from apps.core.aws.errors import StoreMissingError
from apps.core.errors import MopedError, UnavailableError, UpstreamError
from apps.users import errors
from apps.users.adapters import cognito

if TYPE_CHECKING:
    from collections.abc import Callable

CLAIMS = HasuraClaims.of(user_id="x", roles=["moped-editor"], database_id=1, workgroup_id=1)

# (service, operation) → how we come to call it
CALLS: dict[tuple[str, str], Callable[[], Any]] = {
    ("cognito-idp", "AdminGetUser"): partial(cognito.get, "name"),
    ("cognito-idp", "ListUsers"): partial(cognito.find, "jane@austintexas.gov"),
    ("cognito-idp", "AdminCreateUser"): partial(cognito.create, email="e", password="p", mark="m"),
    ("cognito-idp", "AdminSetUserPassword"): partial(cognito.set_password, "name", "p"),
    ("cognito-idp", "AdminUpdateUserAttributes"): partial(cognito.set_email, "name", "e", is_verified=True),
    ("cognito-idp", "AdminEnableUser"): partial(cognito.enable, "name"),
    ("cognito-idp", "AdminUserGlobalSignOut"): partial(cognito.sign_out, "name"),
    ("cognito-idp", "AdminDeleteUser"): partial(cognito.delete, "name"),
    ("cognito-idp", "DescribeUserPool"): cognito.pre_token_function_arn,
    ("dynamodb", "GetItem"): partial(claims_table.get, "e"),
    ("dynamodb", "PutItem"): partial(claims_table._put, {}, {}),
    ("dynamodb", "DeleteItem"): partial(claims_table.delete, "e"),
    ("dynamodb", "Scan"): lambda: list(claims_table.scan()),
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
    "UsernameExistsException": errors.AccountExistsError,
    "AliasExistsException": errors.AddressTakenError,
    "InvalidPasswordException": errors.WeakPasswordError,
    "PasswordHistoryPolicyViolationException": errors.WeakPasswordError,
    "ConditionalCheckFailedException": ClaimsChangedError,
    "ResourceNotFoundException": StoreMissingError,
}
# Where a call means something else by it.
HERE: dict[tuple[str, str], type[MopedError]] = {
    ("AdminCreateUser", "InvalidParameterException"): errors.AddressRefusedError,
    ("AdminUpdateUserAttributes", "InvalidParameterException"): errors.AddressRefusedError,
    ("AdminSetUserPassword", "InvalidParameterException"): errors.WeakPasswordError,
    ("GetItem", "ResourceNotFoundException"): claims_items.TableMissingError,
    ("DeleteItem", "ConditionalCheckFailedException"): UpstreamError,  # it has no condition
    ("GetSecretValue", "ResourceNotFoundException"): secrets.SecretError,
    ("GetSecretValue", "InternalServiceError"): UnavailableError,
}


def documented(service: str, operation: str) -> list[str]:
    model = botocore.session.get_session().get_service_model(service)
    return sorted(shape.name for shape in model.operation_model(operation).error_shapes)


def method_name(operation: str) -> str:
    return str(xform_name(operation))


def expected(operation: str, code: str) -> type[MopedError]:
    if (operation, code) in HERE:
        return HERE[operation, code]
    if code in ERROR_CLASSES:
        return ERROR_CLASSES[code]
    # All others mean that the stage is set up wrongly, or that AWS is broken.
    return UnavailableError if code in UNAVAILABLE else UpstreamError


ERRORS = [
    (service, operation, code) for service, operation in CALLS for code in documented(service, operation)
]


class TestVendorErrors:
    @pytest.mark.parametrize(("service", "operation", "code"), ERRORS, ids=[f"{o} {c}" for _, o, c in ERRORS])
    def test_all_have_a_name_of_ours(
        self, monkeypatch: pytest.MonkeyPatch, service: str, operation: str, code: str
    ) -> None:
        failure = ClientError({"Error": {"Code": code, "Message": "with a secret"}}, operation)
        client = MagicMock()
        client.get_paginator.return_value.paginate.return_value.__iter__.side_effect = failure
        for name in {method_name(operation) for _, operation in CALLS}:
            getattr(client, name).side_effect = failure
        for door in ("cognito", "dynamodb", "secrets_manager"):
            monkeypatch.setattr(clients, door, lambda: client)

        with pytest.raises(MopedError) as error:
            CALLS[service, operation]()

        assert type(error.value) is expected(operation, code)
        assert "secret" not in str(error.value)

    def test_are_known_for_every_call_of_the_gateways(self) -> None:
        clients = {"cognito": "cognito-idp", "dynamodb": "dynamodb", "secrets_manager": "secretsmanager"}
        calls = set()
        for module in (cognito, claims_table, claims_items, secrets):
            for node in ast.walk(ast.parse(getsource(module))):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Call):
                    door = getattr(node.value.func, "attr", "")
                    if door in clients and node.attr != "get_paginator":
                        calls.add("".join(part.title() for part in node.attr.split("_")))

        assert calls | {"Scan"} == {operation for _, operation in CALLS}
