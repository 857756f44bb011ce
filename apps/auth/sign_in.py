"""Browser sign-in: leave for the hosted UI, come back with a code, stay with a cookie."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from apps.auth import cookies, hosted_ui, tokens
from apps.auth.users import Anonymous, CognitoUser
from apps.core.errors import InvalidError, UnauthenticatedError

if TYPE_CHECKING:
    from django.http import HttpRequest

    from apps.auth.tokens import IdToken

HOME = "/auth/current_user"
# With more, no browser keeps the cookie of a sign-in under way, and nobody comes back from it.
LONGEST_TARGET = 2000


class StaleSignInError(UnauthenticatedError):
    """The browser comes back from a sign-in that it did not start, or started too long ago."""

    code = "sign_in_stale"
    message = "This sign-in was not started here, or too long ago. Start again."


class SignInRefusedError(UnauthenticatedError):
    """The hosted UI sends the browser back without a code: the trigger or the person said no."""

    code = "sign_in_refused"
    message = "The sign-in page did not let you in. If you expected otherwise, ask a Moped administrator."


class TokenTooLargeError(InvalidError):
    """No browser would keep a cookie of this size, and the sign-in would begin anew for ever."""

    code = "token_too_large"
    message = "Your sign-in token is too large for a browser's cookie. Ask a Moped administrator."


def begin(*, redirect_uri: str, target: str) -> tuple[str, cookies.Flow]:
    """Return where to send the browser, and what it must bring back."""
    flow = cookies.Flow(
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(64),
        target=target,
    )
    url = hosted_ui.authorization_url(
        redirect_uri=redirect_uri, state=flow.state, nonce=flow.nonce, verifier=flow.verifier
    )
    return url, flow


def finish(*, flow: cookies.Flow | None, state: str, code: str, redirect_uri: str) -> tuple[str, IdToken]:
    """
    Exchange the code and return the token, as text and verified.

    :raises StaleSignInError: if the state is not the one this browser left with
    :raises SignInRefusedError: if the hosted UI sent no code
    :raises CodeRefusedError: if the pool does not take the code
    :raises TokenTooLargeError: if no cookie can hold the token
    :raises TokenError: if the token does not hold
    """
    if flow is None or not hmac.compare_digest(flow.state.encode(), state.encode()):
        raise StaleSignInError
    if not code:
        raise SignInRefusedError
    text = hosted_ui.exchange(code=code, redirect_uri=redirect_uri, verifier=flow.verifier)
    if len(text) > cookies.LONGEST_TOKEN:
        raise TokenTooLargeError
    token = tokens.verify(text)
    if not hmac.compare_digest(token.nonce.encode(), flow.nonce.encode()):
        raise StaleSignInError
    return text, token


def safe_target(target: str) -> str:
    """Return where to go afterwards: a path of this site, or the page about oneself."""
    own = url_has_allowed_host_and_scheme(target, allowed_hosts=None) and target.startswith("/")
    fits = len(target) <= LONGEST_TARGET
    return target if own and fits and urlsplit(target).path.rstrip("/") not in _pages_of_a_sign_in() else HOME


def _pages_of_a_sign_in() -> set[str]:
    """Return where nobody wants to end up afterwards."""
    return {reverse(name) for name in ("auth-sign-in", "auth-callback", "auth-sign-out")}


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
        token = cookies.verified_token(request) if settings.BROWSER_SIGN_IN else None
    except tokens.KeysUnavailableError:
        token = None
    return CognitoUser(token) if token else Anonymous()
