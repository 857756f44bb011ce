"""A real ID token of a stage's pool, for trying a version out."""

from __future__ import annotations

import json

from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.core.errors import ForbiddenError, NotFoundError
from apps.deployment.errors import StageError


def smoke_token(outputs: dict[str, str]) -> str:
    """
    Sign in as the account that the stage keeps for this, and return its ID token.

    Its address and password stand in the secret that the stack's output SmokeSecret names.

    :raises StageError: if there is no such account, or it cannot sign in
    """
    name = outputs.get("SmokeSecret", "")
    credentials = account(name)
    try:
        with translate_errors(NotAuthorizedException=ForbiddenError, UserNotFoundException=NotFoundError):
            answer = clients.cognito().admin_initiate_auth(
                UserPoolId=outputs["UserPoolId"],
                ClientId=outputs["ClientId"].rpartition(",")[2],  # before it, a preview has one for browsers
                AuthFlow="ADMIN_USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": credentials["email"], "PASSWORD": credentials["password"]},
            )
        return answer["AuthenticationResult"]["IdToken"]
    except (ForbiddenError, NotFoundError, KeyError) as error:
        raise StageError(
            f"The account in the secret {name} cannot sign in; see docs/operations.md."
        ) from error


def account(name: str) -> dict[str, str]:
    """
    Return the address and the password that a secret holds.

    :raises StageError: if it holds none
    """
    try:
        with translate_errors(ResourceNotFoundException=NotFoundError):
            text = clients.secrets_manager().get_secret_value(SecretId=name).get("SecretString", "")
        credentials = json.loads(text)
        return {"email": str(credentials["email"]), "password": str(credentials["password"])}
    except (NotFoundError, ValueError, KeyError) as error:
        raise StageError(
            f"The secret {name or 'SmokeSecret'} holds no email and password: a version is tried with a real"
            " token before it is made live. Fill it (docs/operations.md), or give one with --token."
        ) from error
