"""Browser sign-in: leave for the hosted UI, come back with a code, stay with a cookie."""

import hmac
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme

from apps.auth.browser import cookies, hosted_ui, relay
from apps.auth.callers import Anonymous, CognitoUser
from apps.auth.tokens import verifier
from apps.core.errors import InvalidError, UnauthenticatedError

# Bytes; two pending sign-ins with such targets fit into cookies.PENDING_BYTES.
LONGEST_TARGET = 1000


class StaleSignInError(UnauthenticatedError):
    """The browser did not start this sign-in, or started it too long ago."""

    code = "sign_in_stale"
    message = "This sign-in was not started here, or too long ago. Start again."


class TokenTooLargeError(InvalidError):
    """No browser keeps a cookie of this size, so the sign-in would start again and again."""

    code = "token_too_large"
    message = "Your sign-in token is too large for a browser's cookie. Ask a Moped administrator."


def begin(*, redirect_uri: str, target: str) -> tuple[str, str, cookies.PendingSignIn]:
    """Return where to send the browser, the state that it must bring back, and what to keep until then."""
    state = secrets.token_urlsafe(32)
    pending = cookies.PendingSignIn(
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(64),
        target=target,
    )
    url = hosted_ui.authorization_url(
        redirect_uri=redirect_uri,
        state=relay.pool_state(state),
        nonce=pending.nonce,
        verifier=pending.verifier,
    )
    return url, state, pending


def finish(
    *, pending: cookies.PendingSignIn | None, answer: Mapping[str, str], redirect_uri: str
) -> tuple[str, CognitoUser]:
    """
    Exchange the code and return the token's text, and the caller that it names.

    :param pending: this browser's sign-in with the state of the answer; None if there is none
    :param answer: the query with which the pool sent the browser back (RFC 6749, section 4.1.2)
    :raises SignInRefusedError: if the pool sent an error, or no code
    :raises StaleSignInError: if this browser has no such sign-in
    :raises CodeRefusedError: if the pool does not take the code
    :raises TokenTooLargeError: if no cookie can hold the token
    :raises TokenError: if the token does not hold
    """
    # Cognito may leave out the state of an error. Showing its reason changes nothing.
    if "error" in answer:
        raise hosted_ui.refusal(answer.get("error_description", ""))
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


def safe_target(target: str) -> str:
    """
    Return where to go afterwards: a path of this site in ASCII, or the page of the current user.

    The pages of a sign-in never lead to another sign-in.
    """
    encoded = iri_to_uri(target)
    is_own = url_has_allowed_host_and_scheme(target, allowed_hosts=None) and target.startswith("/")
    # Only then can it be parsed: `http://[` cannot.
    if not is_own or len(encoded) > LONGEST_TARGET or _is_sign_in_page(urlsplit(encoded).path):
        return reverse("current-user")
    return encoded


def _is_sign_in_page(path: str) -> bool:
    names = ("auth-sign-in", "auth-callback", "auth-preview", "auth-sign-out")
    return path.rstrip("/") in map(reverse, names)


def page_context(request: HttpRequest) -> dict[str, Any]:
    """Tell every page who is signed in, and where to sign in or out."""
    return {
        "caller": caller(request),
        "offers_sign_in": settings.BROWSER_SIGN_IN,
        "sign_in_target": quote(request.get_full_path()),
        "stage": settings.STAGE,
        "version": settings.VERSION,
    }


def caller(request: HttpRequest) -> CognitoUser | Anonymous:
    """Return who the cookie says is looking at the page."""
    try:
        return (settings.BROWSER_SIGN_IN and cookies.verified_caller(request)) or Anonymous()
    except verifier.KeysUnavailableError:
        return Anonymous()
