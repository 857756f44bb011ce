"""
The function URL of a preview: an origin of its own, that leads to the alias `live`.

Zappa's URLs lead to `$LATEST`, where an update can be seen while it is half done.
"""

from __future__ import annotations

from typing import Any

from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.core.errors import ConflictError, NotFoundError
from apps.deployment.aws.functions import LIVE

# Since October 2025 Lambda asks for both: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
EVERYBODY: dict[str, dict[str, Any]] = {
    "url": {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"},
    "invoke-by-url": {"Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True},
}


def open_to_everybody(function: str) -> str:
    """Let everybody reach what is live (the API looks at tokens itself), and return where."""
    for name, statement in EVERYBODY.items():
        try:
            with translate_errors(ResourceConflictException=ConflictError):
                clients.lambda_client().add_permission(
                    FunctionName=function, Qualifier=LIVE, StatementId=name, Principal="*", **statement
                )
        except ConflictError:
            continue  # it stands there already
    return url(function) or _made(function)


def url(function: str) -> str:
    """Return where the preview answers, without a slash at the end; "" if it does not."""
    try:
        with translate_errors(ResourceNotFoundException=NotFoundError):
            config = clients.lambda_client().get_function_url_config(FunctionName=function, Qualifier=LIVE)
    except NotFoundError:
        return ""
    return config["FunctionUrl"].rstrip("/")


def shut(function: str) -> None:
    """Take the URL away, if there is one."""
    try:
        with translate_errors(ResourceNotFoundException=NotFoundError):
            clients.lambda_client().delete_function_url_config(FunctionName=function, Qualifier=LIVE)
    except NotFoundError:
        pass


def _made(function: str) -> str:
    try:
        with translate_errors(ResourceConflictException=ConflictError):
            made = clients.lambda_client().create_function_url_config(
                FunctionName=function, Qualifier=LIVE, AuthType="NONE"
            )
    except ConflictError:
        return url(function)  # made by another run, a moment ago
    return made["FunctionUrl"].rstrip("/")
