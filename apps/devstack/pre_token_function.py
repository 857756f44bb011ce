"""
The function that the laptop's user pool calls for each token: `apps.claims.triggers`, from here.

What is deployed is a stub that imports the working tree, so that an edit counts at the next reload
and not at the next packaging. It therefore proves nothing about the package: rehearsals do that.
"""

from __future__ import annotations

import base64
import hashlib
import io
import sysconfig
import zipfile
from typing import TYPE_CHECKING

from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.core.errors import NotFoundError
from apps.deployment.aws import functions
from apps.devstack.environment import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mypy_boto3_lambda.literals import RuntimeType
    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef

NAME = "moped-api-laptop"
RUNTIME: RuntimeType = "python3.13"  # the stages' runtime; the emulator runs it with its own Python
TIMEOUT_SECONDS = 30
SOURCES = ("apps/core", "apps/users", "moped_api")
# A zip without a date of its own, so that the same content is the same file.
EPOCH = (1980, 1, 1, 0, 0, 0)

STUB = """\
# {digest}
import sys

sys.path[:0] = {paths!r}

import django

django.setup()

from apps.claims.triggers import handler
"""


def sync(role_arn: str, environment: Mapping[str, str]) -> str:
    """Make the deployed function the working tree's, and return its ARN."""
    package = _package()
    variables = {"DJANGO_SETTINGS_MODULE": "moped_api.settings", **environment}
    current = _describe()
    if current is None:
        return _create(role_arn, package, variables)
    if current["CodeSha256"] != base64.b64encode(hashlib.sha256(package).digest()).decode():
        _wait_until_updated()
        with translate_errors():
            clients.lambda_client_long_timeout().update_function_code(FunctionName=NAME, ZipFile=package)
    if current["Environment"].get("Variables") != variables or current["Role"] != role_arn:
        _wait_until_updated()
        with translate_errors():
            clients.lambda_client_long_timeout().update_function_configuration(
                FunctionName=NAME, Role=role_arn, Environment={"Variables": variables}
            )
    return current["FunctionArn"]


def warm() -> None:
    """
    Have the function import itself, without a sign-in.

    Cognito, and the emulator as it does, waits five seconds for a function. A new worker may need longer.
    """
    with translate_errors():
        clients.lambda_client_long_timeout().invoke(FunctionName=NAME, Payload=b"{}")


def _wait_until_updated() -> None:
    """Wait for the end of the last change: until then Lambda refuses another."""
    with translate_errors():
        waiter = clients.lambda_client().get_waiter("function_updated_v2")
        waiter.wait(FunctionName=NAME, WaiterConfig=functions.POLL_INTERVAL)


def _describe() -> FunctionConfigurationResponseTypeDef | None:
    try:
        with translate_errors(ResourceNotFoundException=NotFoundError):
            return clients.lambda_client_long_timeout().get_function_configuration(FunctionName=NAME)
    except NotFoundError:
        return None


def _create(role_arn: str, package: bytes, environment: Mapping[str, str]) -> str:
    with translate_errors():
        function = clients.lambda_client_long_timeout().create_function(
            FunctionName=NAME,
            Runtime=RUNTIME,
            Role=role_arn,
            Handler="stub.handler",
            Code={"ZipFile": package},
            Timeout=TIMEOUT_SECONDS,
            MemorySize=256,
            Environment={"Variables": environment},
        )
    return function["FunctionArn"]


def _package() -> bytes:
    paths = [str(PROJECT), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    stub = STUB.format(digest=_digest(), paths=list(dict.fromkeys(paths)))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("stub.py", EPOCH), stub)
    return buffer.getvalue()


def _digest() -> str:
    # An edited source makes another stub, and another stub a new worker that imports the edit.
    digest = hashlib.sha256()
    for path in _sources():
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    for folder in SOURCES:
        yield from sorted((PROJECT / folder).rglob("*.py"))
