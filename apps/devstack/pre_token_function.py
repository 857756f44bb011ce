"""
The function that the laptop's user pool calls for each token: `apps.claims.triggers` of the working tree.

What is deployed is a stub that imports the working tree, so an edit counts at the next reload. It proves
nothing about the package: rehearsals do.
"""

from __future__ import annotations

import hashlib
import io
import json
import sysconfig
import zipfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.deployment.aws import functions
from apps.devstack.environment import PROJECT

if TYPE_CHECKING:
    from mypy_boto3_lambda.literals import RuntimeType

NAME = "moped-api-laptop"
RUNTIME: RuntimeType = "python3.13"  # the stages' runtime; the emulator runs it with its own Python
TIMEOUT_SECONDS = 30
SOURCES = ("apps/auth", "apps/claims", "apps/core", "apps/users", "moped_api")
# A zip file without a date of its own: the same content is the same file.
EPOCH = (1980, 1, 1, 0, 0, 0)
UNKNOWN_ACCOUNT = {
    "triggerSource": "TokenGeneration_Authentication",
    "userName": "azuread_unknown.account@austintexas.gov",
    "request": {"userAttributes": {"email": "unknown.account@austintexas.gov"}},
}

STUB = """\
# {digest} {configuration}
import sys

sys.path[:0] = {paths!r}

import django

django.setup()

from apps.claims.triggers import handler
"""


def sync(role_arn: str, environment: Mapping[str, str]) -> str:
    """Create the function, or bring it to the working tree's state, and return its ARN."""
    client = clients.lambda_client_long_timeout()
    configuration: Any = {
        "Role": role_arn,
        "Runtime": RUNTIME,
        "Handler": "stub.handler",
        "Timeout": TIMEOUT_SECONDS,
        "MemorySize": 256,
        "Environment": {"Variables": {"DJANGO_SETTINGS_MODULE": "moped_api.settings", **environment}},
    }
    package = _package(configuration)
    with translate_errors():
        if not functions.exists(NAME):
            client.create_function(FunctionName=NAME, Code={"ZipFile": package}, **configuration)
        current = functions.settled(NAME)
        if current["CodeSha256"] != functions.checksum_of(hashlib.sha256(package).hexdigest()):
            client.update_function_configuration(FunctionName=NAME, **configuration)
            functions.settled(NAME)
            client.update_function_code(FunctionName=NAME, ZipFile=package)
    return str(current["FunctionArn"])


def warm() -> str:
    """
    Have the function import itself and open its clients. Return how it denies an unknown account.

    Cognito, and the emulator as it does, waits five seconds for a function. A new worker may need longer.
    """
    with translate_errors():
        answer = clients.lambda_client_long_timeout().invoke(
            FunctionName=NAME, Payload=json.dumps(UNKNOWN_ACCOUNT)
        )
    return answer["Payload"].read().decode()


def _package(configuration: object) -> bytes:
    # With another configuration or another source the package differs, so its checksum tells of all changes.
    paths = [str(PROJECT), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    stub = STUB.format(digest=_digest(), configuration=configuration, paths=list(dict.fromkeys(paths)))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("stub.py", EPOCH), stub)
    return buffer.getvalue()


def _digest() -> str:
    """Return another text after each edit: another stub has a new worker, which imports the edit."""
    paths = [path for folder in SOURCES for path in sorted((PROJECT / folder).rglob("*.py"))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()
