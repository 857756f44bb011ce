"""
The cookies of a browser sign-in: the ID token, and the state of a sign-in under way.

Both are HttpOnly and SameSite=Lax, `__Host-` where they are Secure, and nothing of them is
stored on our side. They are not signed: the token proves itself, and the state of a sign-in is
only ever compared with what the pool sends back (ADR 0005).
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from typing import TYPE_CHECKING

import msgspec
from django.conf import settings

from apps.auth import tokens

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from rest_framework.request import Request

    from apps.auth.tokens import IdToken

# Browsers drop a cookie whose name, value and attributes exceed 4,096 bytes.
LONGEST_TOKEN = 4000
FLOW_SECONDS = 600


class Flow(msgspec.Struct, frozen=True):
    """A sign-in that has left for the hosted UI and is expected back."""

    state: str
    nonce: str
    verifier: str
    target: str


def token_name() -> str:
    """Return the name of the cookie that holds the ID token."""
    return f"{settings.COOKIE_PREFIX}moped_id_token"


def flow_name() -> str:
    """Return the name of the cookie that holds the sign-in under way."""
    return f"{settings.COOKIE_PREFIX}moped_sign_in"


def verified_token(request: HttpRequest | Request) -> IdToken | None:
    """
    Return the token in the cookie if it holds.

    :raises KeysUnavailableError: if no key of the pool is known (503)
    """
    text = request.COOKIES.get(token_name(), "")
    if not text:
        return None
    try:
        return tokens.verify(text)
    except tokens.TokenError:
        return None


def keep_token(response: HttpResponse, text: str, *, seconds: int) -> None:
    """Sign the browser in for as long as the token lives."""
    _keep(response, token_name(), text, seconds)


def keep_flow(response: HttpResponse, flow: Flow) -> None:
    """Remember the sign-in that is about to leave."""
    text = urlsafe_b64encode(msgspec.json.encode(flow)).decode().rstrip("=")
    _keep(response, flow_name(), text, FLOW_SECONDS)


def flow(request: HttpRequest) -> Flow | None:
    """Return the sign-in under way, or None if there is none that can be read."""
    text = request.COOKIES.get(flow_name(), "")
    try:
        return msgspec.json.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=Flow)
    except (msgspec.DecodeError, Base64Error, ValueError, RecursionError):
        return None


def forget(response: HttpResponse, *names: str) -> None:
    """Take cookies back."""
    for name in names:
        response.set_cookie(
            name, "", max_age=0, path="/", secure=settings.SECURE_COOKIES, httponly=True, samesite="Lax"
        )


def _keep(response: HttpResponse, name: str, value: str, seconds: int) -> None:
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=settings.SECURE_COOKIES, httponly=True, samesite="Lax"
    )
