"""
The function that the laptop's user pool calls for each token: `apps.claims.triggers` of the working tree.

What is deployed is a stub that imports the working tree, so an edit counts at the next reload. It proves
nothing about the package: rehearsals do.
"""

from __future__ import annotations

import hashlib
import io
import sysconfig
import zipfile
from typing import TYPE_CHECKING

from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.deployment.aws import functions
from apps.devstack.environment import PROJECT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_lambda.literals import RuntimeType

NAME = "moped-api-laptop"
RUNTIME: RuntimeType = "python3.13"  # the stages' runtime; the emulator runs it with its own Python
TIMEOUT_SECONDS = 30
SOURCES = ("apps/auth", "apps/claims", "apps/core", "apps/users", "moped_api")
# A zip file without a date of its own: the same content is the same file.
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
    """Create the function, or bring it to the working tree's state, and return its ARN."""
    client = clients.lambda_client_long_timeout()
    package, variables = _package(), {"DJANGO_SETTINGS_MODULE": "moped_api.settings", **environment}
    if not functions.exists(NAME):
        with translate_errors():
            return client.create_function(
                FunctionName=NAME,
                Runtime=RUNTIME,
                Role=role_arn,
                Handler="stub.handler",
                Code={"ZipFile": package},
                Timeout=TIMEOUT_SECONDS,
                MemorySize=256,
                Environment={"Variables": variables},
            )["FunctionArn"]
    waiter = client.get_waiter("function_updated_v2")
    with translate_errors():
        current = client.get_function_configuration(FunctionName=NAME)
        if current["CodeSha256"] != functions.checksum_of(hashlib.sha256(package).hexdigest()):
            waiter.wait(FunctionName=NAME, WaiterConfig=functions.POLL_INTERVAL)
            client.update_function_code(FunctionName=NAME, ZipFile=package)
        if (current["Environment"].get("Variables"), current["Role"]) != (variables, role_arn):
            waiter.wait(FunctionName=NAME, WaiterConfig=functions.POLL_INTERVAL)
            client.update_function_configuration(
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


def _package() -> bytes:
    paths = [str(PROJECT), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    stub = STUB.format(digest=_digest(), paths=list(dict.fromkeys(paths)))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("stub.py", EPOCH), stub)
    return buffer.getvalue()


def _digest() -> str:
    """Return another text after each edit: another stub has a new worker, which imports the edit."""
    paths = [path for folder in SOURCES for path in sorted((PROJECT / folder).rglob("*.py"))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()
