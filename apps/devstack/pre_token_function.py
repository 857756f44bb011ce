"""
The pre-token trigger of the laptop's user pool: runs `apps.claims.triggers` from the working tree.

The deployed code is a stub that imports the working tree. Each update starts a new worker, so an edit takes
effect at the next reload. It does not test the package. Rehearsals do.
"""

import io
import json
import sysconfig
import zipfile
from collections.abc import Mapping
from typing import Any

from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.deployment.aws import functions
from apps.deployment.settings.variables import from_outputs
from apps.devstack.environment import PROJECT

NAME = "moped-api-laptop"
TIMEOUT_SECONDS = 30
# Its variables in addition to those from the stack's outputs.
VARIABLES = {
    "DJANGO_SETTINGS_MODULE": "moped_api.settings",
    "MOPED_API_CURRENT_ENVIRONMENT": "laptop",
    "MOPED_API_ALLOWED_HOSTS": "127.0.0.1",
    "DATABASE_URL": "postgresql:///the-trigger-needs-no-database",
}
UNKNOWN_ACCOUNT = {
    "triggerSource": "TokenGeneration_Authentication",
    "userName": "azuread_unknown.account@austintexas.gov",
    "request": {"userAttributes": {"email": "unknown.account@austintexas.gov"}},
}

STUB = """\
import sys

sys.path[:0] = {paths!r}

import django

django.setup()

from apps.claims.triggers import handler
"""


def sync(outputs: Mapping[str, str]) -> str:
    """
    Create or update the function, and return its ARN.

    :param outputs: the outputs of the laptop's stack
    """
    client = clients.lambda_client_long_timeout()
    configuration: Any = {
        "Role": outputs["FunctionRoleArn"],
        "Runtime": "python3.13",  # the stages' runtime. The emulator ignores it and uses its Python
        "Handler": "stub.handler",
        "Timeout": TIMEOUT_SECONDS,
        "MemorySize": 256,
        "Environment": {"Variables": from_outputs(outputs) | VARIABLES},
    }
    package = _package()
    with translate_errors():
        if functions.exists(NAME):
            client.update_function_configuration(FunctionName=NAME, **configuration)
            functions.wait_until_ready(NAME)
            client.update_function_code(FunctionName=NAME, ZipFile=package)
        else:
            client.create_function(FunctionName=NAME, Code={"ZipFile": package}, **configuration)
    return str(functions.wait_until_ready(NAME)["FunctionArn"])


def warm() -> str:
    """
    Invoke the function once, so that it imports its code. Return its denial of an unknown account.

    Cognito and the emulator wait five seconds for a function. A new worker may need longer.
    """
    with translate_errors():
        answer = clients.lambda_client_long_timeout().invoke(
            FunctionName=NAME, Payload=json.dumps(UNKNOWN_ACCOUNT)
        )
    return answer["Payload"].read().decode()


def _package() -> bytes:
    paths = [str(PROJECT), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("stub.py", STUB.format(paths=list(dict.fromkeys(paths))))
    return buffer.getvalue()
