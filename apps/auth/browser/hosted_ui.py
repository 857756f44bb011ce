"""
The pool's hosted UI and its token endpoint.

OAuth 2.0 authorization code with PKCE (RFC 6749, RFC 7636), as Amazon's pages describe them:
https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html
"""

import hashlib
import re
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode

import msgspec
from django.conf import settings
from django.utils.http import urlsafe_base64_encode

from apps.auth import pool_client
from apps.core.errors import UnauthenticatedError, UnavailableError, UpstreamError

SCOPES = "openid email profile"
TIMEOUT_SECONDS = 10  # the pool itself waits up to 5 for the pre-token trigger
LONGEST_REASON = 300  # characters
# Cognito puts this before the message of a trigger.
TRIGGER_FAILED = re.compile(r"^\w+ failed with error ")


class CodeRefusedError(UnauthenticatedError):
    """The pool does not accept this code: it was used, is too old, or belongs to another sign-in."""

    code = "code_refused"
    message = "This sign-in is no longer valid. Start again."


class SignInRefusedError(UnauthenticatedError):
    """A trigger, the person or the City's single sign-on denied the sign-in."""

    code = "sign_in_refused"
    message = "The sign-in page did not let you in. If you expected otherwise, ask a Moped administrator."


def refusal(description: str) -> SignInRefusedError:
    """
    Return the error for a denied sign-in, with the reason that the pool gave.

    Any person can write a link with a description of their own. So it is quoted as the pool's, cut to
    LONGEST_REASON, and characters that do not print are left out. Templates escape it.

    :param description: Cognito's `error_description`, which is not a fixed text:
        https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoint-idp-responses.html
    """
    printable = "".join(character for character in description if character.isprintable())
    reason = re.sub(r"[.\s]+$", ".", TRIGGER_FAILED.sub("", printable).strip())[:LONGEST_REASON]
    if not reason.strip("."):
        return SignInRefusedError()
    return SignInRefusedError(
        f"The sign-in page did not let you in. It gave this reason: \u201c{reason}\u201d "
        "If you need access, ask a Moped administrator."
    )


def authorization_url(*, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
    """Return the URL at which the browser signs in."""
    query = {
        "response_type": "code",
        "client_id": settings.COGNITO_CLIENT_IDS[0],
        "redirect_uri": redirect_uri,
        "scope": SCOPES,
        "state": state,
        "nonce": nonce,
        "code_challenge": urlsafe_base64_encode(hashlib.sha256(verifier.encode()).digest()),
        "code_challenge_method": "S256",
    }
    return f"{settings.COGNITO_DOMAIN_URL}/oauth2/authorize?{urlencode(query)}"


def logout_url(*, logout_uri: str) -> str:
    """Return the URL that ends the hosted UI's own session."""
    query = {"client_id": settings.COGNITO_CLIENT_IDS[0], "logout_uri": logout_uri}
    return f"{settings.COGNITO_DOMAIN_URL}/logout?{urlencode(query)}"


def exchange(*, code: str, redirect_uri: str, verifier: str) -> str:
    """
    Return the ID token that the pool gives for the code.

    :raises CodeRefusedError: if it does not accept the code
    :raises SignInRefusedError: if it denies the sign-in
    :raises UnavailableError: if it cannot be reached, or asks for fewer requests
    :raises UpstreamError: if its answer holds no ID token
    """
    form = {
        "grant_type": "authorization_code",
        "client_id": settings.COGNITO_CLIENT_IDS[0],
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    try:
        status, body = pool_client.send(
            f"{settings.COGNITO_DOMAIN_URL}/oauth2/token", timeout=TIMEOUT_SECONDS, form=form
        )
    except OSError as error:
        raise UnavailableError from error
    except HTTPException as error:
        raise UpstreamError from error
    answer: dict[str, Any] = {}
    with suppress(ValueError, RecursionError):
        answer = msgspec.json.decode(body, type=dict[str, Any])
    token = answer.get("id_token")
    if status == HTTPStatus.OK and isinstance(token, str):
        return token
    raise _failure(status, answer) from ValueError(f"the token endpoint answered {status}")


def _failure(status: int, answer: dict[str, Any]) -> UnauthenticatedError | UpstreamError:
    """Return our error for the token endpoint's (RFC 6749, section 5.2). Cognito adds 429 for its rate."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return UnavailableError()
    if status not in {400, 401, 403}:
        return UpstreamError()
    reason = answer.get("error_description")
    if not isinstance(reason, str):
        return CodeRefusedError()
    is_code_error = answer.get("error") == "invalid_grant" and not TRIGGER_FAILED.match(reason)
    return CodeRefusedError() if is_code_error else refusal(reason)
