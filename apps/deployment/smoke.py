"""The smoke test: invokes a version with a real token before the version gets traffic."""

import json
from typing import Any

from jose import jwt

from apps.claims.hasura import CLAIMS_NAMESPACE
from apps.claims.triggers import SignInDeniedError
from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.core.errors import ForbiddenError, NotFoundError
from apps.deployment.aws import functions, stack
from apps.deployment.errors import StageError
from apps.deployment.settings.rendering import Stage

OK, UNAUTHORIZED = 200, 401


def smoke_token(outputs: dict[str, str]) -> str:
    """
    Sign in with the smoke account, and return its ID token.

    The output SmokeSecret of the stack names the secret with its address and password.

    :raises StageError: if the secret is empty or the account cannot sign in
    """
    name = outputs["SmokeSecret"]
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
    outputs: dict[str, str], flow: Any = "ADMIN_USER_PASSWORD_AUTH", **parameters: str
) -> dict[str, Any]:
    """Sign in to the pool of a stage with a password or a refresh token, and return the tokens."""
    answer = clients.cognito().admin_initiate_auth(
        UserPoolId=outputs["UserPoolId"],
        ClientId=outputs["ClientId"].rpartition(",")[2],  # the last: a preview also has one for browsers
        AuthFlow=flow,
        AuthParameters=parameters,
    )
    return dict(answer["AuthenticationResult"])


def account(name: str) -> dict[str, str]:
    """
    Return the address and the password in a secret.

    :raises StageError: if it has no address or password
    """
    try:
        credentials = json.loads(stack.secret_value(name))
        return {"email": str(credentials["email"]), "password": str(credentials["password"])}
    except (ValueError, KeyError) as error:
        raise StageError(
            f"The secret {name} holds no email and password: a version is tried with a real"
            " token before it is made live. Fill it (docs/operations.md), or give one with --token."
        ) from error


def try_out(stage: Stage, version: str, token: str) -> list[str]:
    """
    Send a version three requests, and return a line for each answer.

    :raises StageError: at the first unexpected status
    """
    answers = []
    requests = (("/", "", OK), ("/auth/current_user", "", UNAUTHORIZED), ("/auth/current_user", token, OK))
    for path, own_token, expected in requests:
        outcome = functions.invoke(stage.function, event(path, _host(stage), own_token), version)
        if outcome.failed:
            raise StageError(f"Version {version} does not start: {outcome.reason}")
        status, caller = outcome.payload["statusCode"], "with a token" if own_token else "without one"
        if status != expected:
            raise StageError(
                f"Version {version} answers GET {path} {caller} with {status} instead of {expected}:"
                f" {_detail(outcome.payload)}"
            )
        answers.append(f"GET {path} {caller}: {status}")
    return answers


def try_trigger(stage: Stage, version: str, token: str) -> str:
    """
    Invoke a version as pre-token trigger, and compare its claims with the token's claims.

    :raises StageError: if it fails or its claims differ
    """
    owner = jwt.get_unverified_claims(token)
    # The event that Cognito sends before it issues a token to this owner (event version 1).
    sign_in = {
        "version": "1",
        "triggerSource": "TokenGeneration_Authentication",
        "userName": owner["cognito:username"],
        "request": {"userAttributes": {"sub": owner["sub"], "email": owner["email"]}},
        "response": {},
    }
    outcome = functions.invoke(stage.function, sign_in, version)
    expected = json.loads(owner.get(CLAIMS_NAMESPACE, "null"))
    if outcome.failed:
        is_denied = outcome.payload.get("errorType") == SignInDeniedError.__name__
        if is_denied and expected is None:
            return "pre-token trigger: denied, and the token has no claims either"
        raise StageError(f"Version {version} fails as pre-token trigger: {outcome.reason}")
    claims = outcome.payload["response"]["claimsOverrideDetails"]["claimsToAddOrOverride"][CLAIMS_NAMESPACE]
    if expected is not None and json.loads(claims) != expected:
        raise StageError(
            f"Version {version} gives other claims than the token has."
            " If the roles of the token's owner changed, use a newer token."
        )
    return "pre-token trigger: the claims of the token"


def event(path: str, host: str, token: str = "") -> dict[str, Any]:
    """Return API Gateway's event for a GET request (REST, payload version 1)."""
    headers = {"Host": host, "Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": "GET",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": {
            "stage": "direct",
            "requestId": "smoke-test-of-a-version",
            "identity": {"sourceIp": "127.0.0.1"},
        },
        "body": None,
        "isBase64Encoded": False,
    }


def _host(stage: Stage) -> str:
    allowed = stage.settings["aws_environment_variables"]["MOPED_API_ALLOWED_HOSTS"].split(",")
    return str(allowed[0]).removeprefix(".")


def _detail(answer: dict[str, Any]) -> str:
    try:
        return str(json.loads(answer["body"])["detail"])
    except (KeyError, TypeError, ValueError):
        return str(answer.get("body"))[:200]
