"""Signs a persona in to the user pool and returns the ID token."""

import secrets
from urllib.parse import parse_qs, urlsplit

import requests
from django.conf import settings

from apps.auth.browser import hosted_ui
from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.core.errors import MopedError, NotFoundError, UnauthenticatedError, UnavailableError, UpstreamError
from apps.devstack.errors import DevstackError
from apps.devstack.personas import PASSWORD, Persona
from apps.devstack.provision import DIRECTORY

TIMEOUT_SECONDS = 120  # the trigger of a laptop is a new process, and the machine may be busy
MOST_REDIRECTS = 5


def id_token(persona: Persona) -> str:
    """
    Return a fresh ID token.

    :raises DevstackError: if the pool cannot be reached or denies the sign-in
    """
    try:
        return _sign_in_with_directory() if persona.is_sso else _sign_in_with_password(persona)
    except UnavailableError as error:
        raise DevstackError(
            f"Nothing answers at {settings.AWS_ENDPOINT_URL}. Start it with `make run`."
        ) from error
    except NotFoundError as error:
        raise DevstackError(f"There is no {persona.email} here. `make run` makes the personas.") from error
    except (UnauthenticatedError, UpstreamError) as error:
        raise DevstackError(f"No token for {persona.email}: {_reason(error)}") from error


def _reason(error: MopedError) -> str:
    """Return the message of the pool or its trigger, without the name of the call."""
    answer = getattr(error.__cause__, "response", {})  # botocore's
    message = hosted_ui.TRIGGER_FAILED.sub("", answer.get("Error", {}).get("Message", ""))
    return message or str(error.__cause__ or error)


def _sign_in_with_password(persona: Persona) -> str:
    with translate_errors(
        ResourceNotFoundException=NotFoundError,
        UserNotFoundException=NotFoundError,
        NotAuthorizedException=UnauthenticatedError,
        UserLambdaValidationException=UnauthenticatedError,
    ):
        answer = clients.cognito().admin_initiate_auth(
            UserPoolId=settings.COGNITO_USER_POOL_ID,
            ClientId=settings.COGNITO_CLIENT_IDS[0],
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": persona.email, "PASSWORD": PASSWORD},
        )
    return answer["AuthenticationResult"]["IdToken"]


def _sign_in_with_directory() -> str:
    # Follow the redirects as a browser does: from the pool to the City's directory and back.
    verifier, redirect_uri = secrets.token_urlsafe(48), callback_url()
    url = hosted_ui.authorization_url(
        redirect_uri=redirect_uri,
        state=secrets.token_urlsafe(),
        nonce=secrets.token_urlsafe(),
        verifier=verifier,
    )
    url += f"&identity_provider={DIRECTORY}"
    for _ in range(MOST_REDIRECTS):
        if url.startswith(redirect_uri):
            break
        try:
            response = requests.get(url, allow_redirects=False, timeout=TIMEOUT_SECONDS)
        except requests.RequestException as error:
            raise UnavailableError from error
        url = response.headers.get("Location", "")
    code = parse_qs(urlsplit(url).query).get("code", [""])[0]
    return hosted_ui.exchange(code=code, redirect_uri=redirect_uri, verifier=verifier)


def callback_url() -> str:
    """Return the URL of the running API to which the pool sends browsers back."""
    with translate_errors(ResourceNotFoundException=NotFoundError):
        client = clients.cognito().describe_user_pool_client(
            UserPoolId=settings.COGNITO_USER_POOL_ID, ClientId=settings.COGNITO_CLIENT_IDS[0]
        )["UserPoolClient"]
    return client["CallbackURLs"][0]
