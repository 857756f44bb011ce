"""
Browser sign-in: the hosted UI sends the browser back with a code, and the browser gets a cookie.

The pool sends browsers back only to URLs that it knows exactly (ADR 13). So a preview uses a page of staging
as its callback, and the state names the preview. That page shows the preview's number and a link that
completes the sign-in there.
"""

import hmac
import re
import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme

from apps.auth.browser import cookies, hosted_ui
from apps.auth.callers import Anonymous, CognitoUser
from apps.auth.tokens import errors, verifier
from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.core.errors import InvalidError, NotFoundError, UnauthenticatedError

# Bytes. Two pending sign-ins with such targets fit into cookies.PENDING_BYTES.
LONGEST_TARGET = 1000
STATE_OF_PREVIEW = re.compile(rf"pr_([1-9][0-9]{{0,6}})\.({cookies.STATE})")


class StaleSignInError(UnauthenticatedError):
    """The browser did not start this sign-in, or started it too long ago."""

    code = "sign_in_stale"
    message = "This sign-in was not started here, or too long ago. Start again."


class TokenTooLargeError(InvalidError):
    """No browser keeps a cookie of this size, so the sign-in would start again and again."""

    code = "token_too_large"
    message = "Your sign-in token is too large for a browser's cookie. Ask a Moped administrator."


class PreviewNotFoundError(NotFoundError):
    """The sign-in belongs to no preview that exists."""

    code = "preview_not_found"
    message = "There is no such preview. Open the address of a preview, and sign in from there."


class Preview(NamedTuple):
    """The preview that a sign-in belongs to, and the URL that completes the sign-in."""

    number: str
    url: str
    callback: str


def begin(*, redirect_uri: str, target: str) -> tuple[str, str, cookies.PendingSignIn]:
    """Return the URL for the browser, the state that it must bring back, and the pending sign-in."""
    state = secrets.token_urlsafe(32)
    pending = cookies.PendingSignIn(
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(64),
        target=target,
    )
    url = hosted_ui.authorization_url(
        redirect_uri=redirect_uri,
        state=f"{settings.STAGE}.{state}" if settings.SIGN_IN_RELAY else state,
        nonce=pending.nonce,
        verifier=pending.verifier,
    )
    return url, state, pending


def finish(
    *, pending: cookies.PendingSignIn | None, answer: Mapping[str, str], redirect_uri: str
) -> tuple[str, CognitoUser]:
    """
    Exchange the code and return the token's text, and the caller that it names.

    :param pending: this browser's sign-in with the state of the answer, or None
    :param answer: the query with which the pool sent the browser back (RFC 6749, section 4.1.2)
    :raises SignInRefusedError: if the pool sent an error, or no code
    :raises StaleSignInError: if this browser has no such sign-in
    :raises CodeRefusedError: if the pool does not accept the code
    :raises TokenTooLargeError: if no cookie can hold the token
    :raises TokenError: if the token is not valid
    """
    # Comes first, because Cognito may leave out the state of an error. To show the reason is harmless.
    _require_no_error(answer)
    if pending is None:
        raise StaleSignInError
    if not answer.get("code"):
        raise hosted_ui.SignInRefusedError
    text = hosted_ui.exchange(code=answer["code"], redirect_uri=redirect_uri, verifier=pending.verifier)
    if len(text) > cookies.LONGEST_TOKEN:
        raise TokenTooLargeError
    caller = verifier.verify(text)
    if not hmac.compare_digest(caller.nonce.encode(), pending.nonce.encode()):
        raise StaleSignInError
    return text, caller


def preview(answer: Mapping[str, str]) -> Preview:
    """
    Return the preview that a sign-in belongs to, with the URL that Lambda has for it.

    :param answer: the query with which the pool sent the browser back (RFC 6749, section 4.1.2)
    :raises SignInRefusedError: if the pool sent an error
    :raises PreviewNotFoundError: if there is no such preview
    :raises UpstreamError: if Lambda cannot be reached
    """
    _require_no_error(answer)
    match = STATE_OF_PREVIEW.fullmatch(answer.get("state", ""))
    if match is None or settings.SIGN_IN_RELAY:
        raise PreviewNotFoundError
    number, state = match.groups()
    with translate_errors(ResourceNotFoundException=PreviewNotFoundError):
        function = clients.lambda_client().get_function_url_config(
            FunctionName=f"moped-api-pr-{number}", Qualifier="live"
        )
    url = function["FunctionUrl"].rstrip("/")
    query = urlencode({"code": answer.get("code", ""), "state": state})
    return Preview(number, url, f"{url}/auth/callback?{query}")


def _require_no_error(answer: Mapping[str, str]) -> None:
    if "error" in answer:
        raise hosted_ui.refusal(answer.get("error_description", ""))


def safe_target(target: str) -> str:
    """
    Return the target after a sign-in: a path of this site in ASCII, or the page of the current user.

    A page of the sign-in itself is not a valid target.
    """
    encoded = iri_to_uri(target)
    is_own = url_has_allowed_host_and_scheme(target, allowed_hosts=None) and target.startswith("/")
    if not is_own or len(encoded) > LONGEST_TARGET:
        return reverse("current-user")
    names = ("auth-sign-in", "auth-callback", "auth-preview", "auth-sign-out")
    is_sign_in_page = urlsplit(encoded).path.rstrip("/") in map(reverse, names)
    return reverse("current-user") if is_sign_in_page else encoded


def page_context(request: HttpRequest) -> dict[str, Any]:
    """Return the context of every page: who is signed in, and where to sign in or out."""
    return {
        "caller": caller(request),
        "offers_sign_in": settings.BROWSER_SIGN_IN,
        "sign_in_target": quote(request.get_full_path()),
        "stage": settings.STAGE,
        "version": settings.VERSION,
    }


def caller(request: HttpRequest) -> CognitoUser | Anonymous:
    """Return the caller that the cookie names."""
    try:
        return (settings.BROWSER_SIGN_IN and cookies.verified_caller(request)) or Anonymous()
    except errors.KeysUnavailableError:
        return Anonymous()
