"""The account that tests the deployments of a stage, and real tokens of the stage's pool."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.core.errors import ForbiddenError, NotFoundError
from apps.deployment.aws import stack
from apps.deployment.errors import StageError

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.literals import AuthFlowTypeType


def smoke_token(outputs: dict[str, str]) -> str:
    """
    Sign in as the account that tests deployments, and return its ID token.

    The secret that the stack's output SmokeSecret names has its address and password.

    :raises StageError: if there is no such account, or it cannot sign in
    """
    name = outputs.get("SmokeSecret", "")
    credentials = account(name)
    try:
        with translate_errors(NotAuthorizedException=ForbiddenError, UserNotFoundException=NotFoundError):
            tokens = sign_in(outputs, USERNAME=credentials["email"], PASSWORD=credentials["password"])
        return str(tokens["IdToken"])
    except (ForbiddenError, NotFoundError, KeyError) as error:
        raise StageError(
            f"The account in the secret {name} cannot sign in; see docs/operations.md."
        ) from error


def sign_in(
    outputs: dict[str, str], flow: AuthFlowTypeType = "ADMIN_USER_PASSWORD_AUTH", **parameters: str
) -> dict[str, Any]:
    """Sign in to the pool of a stage with a password or a refresh token, and return the tokens."""
    answer = clients.cognito().admin_initiate_auth(
        UserPoolId=outputs["UserPoolId"],
        ClientId=outputs["ClientId"].rpartition(",")[2],  # before it, a preview has one for browsers
        AuthFlow=flow,
        AuthParameters=parameters,
    )
    return dict(answer["AuthenticationResult"])


def account(name: str) -> dict[str, str]:
    """
    Return the address and the password that a secret holds.

    :raises StageError: if it holds none
    """
    try:
        credentials = json.loads(stack.secret_value(name) if name else "")
        return {"email": str(credentials["email"]), "password": str(credentials["password"])}
    except (ValueError, KeyError) as error:
        raise StageError(
            f"The secret {name or 'SmokeSecret'} holds no email and password: a version is tried with a real"
            " token before it is made live. Fill it (docs/operations.md), or give one with --token."
        ) from error
