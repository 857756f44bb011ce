"""
The function URL of a preview: an origin of its own, that leads to the alias `live`.

Zappa's URLs lead to `$LATEST`, where an update can be seen while it is half done.
"""

from __future__ import annotations

from typing import Any

from apps.core import aws
from apps.core.errors import ConflictError, NotFoundError
from apps.stages.functions import LIVE

# Since October 2025 Lambda asks for both: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
EVERYBODY: dict[str, dict[str, Any]] = {
    "url": {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"},
    "invoke-by-url": {"Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True},
}


def open_to_everybody(function: str) -> str:
    """Let everybody reach what is live (the API looks at tokens itself), and return where."""
    for name, statement in EVERYBODY.items():
        try:
            with aws.translating(ResourceConflictException=ConflictError):
                aws.awslambda().add_permission(
                    FunctionName=function, Qualifier=LIVE, StatementId=name, Principal="*", **statement
                )
        except ConflictError:
            continue  # it stands there already
    return url(function) or _made(function)


def url(function: str) -> str:
    """Return where the preview answers, without a slash at the end; "" if it does not."""
    try:
        with aws.translating(ResourceNotFoundException=NotFoundError):
            config = aws.awslambda().get_function_url_config(FunctionName=function, Qualifier=LIVE)
    except NotFoundError:
        return ""
    return config["FunctionUrl"].rstrip("/")


def shut(function: str) -> None:
    """Take the URL away, if there is one."""
    try:
        with aws.translating(ResourceNotFoundException=NotFoundError):
            aws.awslambda().delete_function_url_config(FunctionName=function, Qualifier=LIVE)
    except NotFoundError:
        pass


def _made(function: str) -> str:
    try:
        with aws.translating(ResourceConflictException=ConflictError):
            made = aws.awslambda().create_function_url_config(
                FunctionName=function, Qualifier=LIVE, AuthType="NONE"
            )
    except ConflictError:
        return url(function)  # made by another run, a moment ago
    return made["FunctionUrl"].rstrip("/")
