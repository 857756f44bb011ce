"""
The cookies of a browser sign-in: the ID token, and one cookie for each pending sign-in.

They are HttpOnly and SameSite=Lax, `__Host-` where they are Secure, and unsigned (ADR 0005). The
server stores nothing. The token has the pool's signature. The name of a pending sign-in's cookie
must match the state that the pool sends back.
"""

import re

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from rest_framework.request import Request

from apps.auth.callers import CognitoUser
from apps.auth.tokens import errors, verifier

# Browsers drop a cookie whose name, value and attributes exceed 4,096 bytes.
LONGEST_TOKEN = 4000
PENDING_SECONDS = 600
# Names and values of all pending sign-ins. With the longest token they must fit into one Cookie
# header: gunicorn refuses a header of more than 8,190 bytes, API Gateway more than 10,240 in all.
PENDING_BYTES = 3500
STATE = "[A-Za-z0-9_-]{43}"


class PendingSignIn(msgspec.Struct, frozen=True):
    """A sign-in that was sent to the hosted UI and has not come back."""

    nonce: str
    verifier: str
    target: str


def token_name() -> str:
    """Return the name of the cookie that holds the ID token."""
    return f"{settings.COOKIE_PREFIX}moped_id_token"


def pending_name(state: str) -> str:
    """Return the name of the cookie that holds the pending sign-in with this state."""
    return f"{settings.COOKIE_PREFIX}moped_sign_in_{state}"


def verified_caller(request: HttpRequest | Request) -> CognitoUser | None:
    """
    Return the caller that the token in the cookie names, or None without a valid one.

    :raises KeysUnavailableError: if no key of the pool is known (503)
    """
    text = request.COOKIES.get(token_name(), "")
    if not text:
        return None
    try:
        return verifier.verify(text)
    except errors.TokenError:
        return None


def set_token_cookie(response: HttpResponse, text: str, *, seconds: int) -> None:
    """Sign the browser in for this long, or out with 0 seconds."""
    _set(response, token_name(), text, seconds)


def set_pending_cookie(
    request: HttpRequest, response: HttpResponse, state: str, pending: PendingSignIn
) -> None:
    """Set the cookie of a new pending sign-in, and delete the oldest that exceed PENDING_BYTES."""
    name, value = pending_name(state), urlsafe_base64_encode(msgspec.json.encode(pending))
    _set(response, name, value, PENDING_SECONDS)
    room = PENDING_BYTES - len(name) - len(value)
    other_names = [other for other in request.COOKIES if re.fullmatch(pending_name(STATE), other)]
    for other in reversed(other_names):  # browsers send older cookies first (RFC 6265, section 5.4)
        room -= len(other) + len(request.COOKIES[other])
        if room < 0:
            _set(response, other, "", 0)


def pending(request: HttpRequest, state: str) -> PendingSignIn | None:
    """Return this browser's pending sign-in with this state, or None if there is no readable one."""
    value = request.COOKIES.get(pending_name(state), "") if re.fullmatch(STATE, state) else ""
    try:
        return msgspec.json.decode(urlsafe_base64_decode(value), type=PendingSignIn)
    except (ValueError, RecursionError):
        return None


def delete_pending_cookie(response: HttpResponse, state: str) -> None:
    """Delete the cookie of the pending sign-in with this state."""
    _set(response, pending_name(state), "", 0)


def _set(response: HttpResponse, name: str, value: str, seconds: int) -> None:
    """Set a cookie, or delete it with 0 seconds."""
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=settings.SECURE_COOKIES, httponly=True, samesite="Lax"
    )
