"""
Who is calling: from the Authorization header, or from the cookie of a browser sign-in.

The base class is simplejwt's stateless authentication. Its token and user classes are not used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.http import HttpResponse
from rest_framework.authentication import CSRFCheck
from rest_framework.exceptions import PermissionDenied

from apps.auth.browser import cookies
from apps.auth.callers import CognitoUser
from apps.auth.simplejwt import JWTStatelessUserAuthentication
from apps.auth.tokens import errors, verifier
from apps.core.http import problems

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request

    from apps.auth.tokens.verifier import IdToken

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def _csrf_protected_view(_request: HttpRequest) -> HttpResponse:
    """Stand for the view in Django's CSRF check: DRF marks every view of its own as exempt."""
    return HttpResponse()


class CognitoAuthentication(JWTStatelessUserAuthentication):
    """
    Verify a Cognito ID token.

    A header wins over the cookie, and an invalid header is an error. An invalid cookie makes the
    caller anonymous, so that they can sign in again. Unsafe methods with a cookie need a CSRF token
    and an Origin of ours. Unsafe methods with a header do not.
    """

    errors: ClassVar = (*errors.TOKEN_ERRORS, verifier.KeysUnavailableError)
    """What it can answer, for the reference."""

    def __init__(self) -> None:
        """Skip simplejwt's look-up of a user model, which does not exist here."""

    def authenticate(self, request: Request) -> tuple[CognitoUser, IdToken] | None:  # type: ignore[override]
        """
        Return the caller and the verified token, or None if there is neither.

        :raises WrappedMopedError: 503 if no key of the pool is known; for a header also 401 with a reason
        """
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if header:
            token = self.get_validated_token(_bearer(header))
        elif settings.BROWSER_SIGN_IN and (cookie_token := _token_in_cookie(request)):
            _enforce_csrf(request)
            token = cookie_token
        else:
            return None
        return CognitoUser(token), token

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge that makes DRF answer 401 rather than 403."""
        return problems.challenge(problems.TOKEN_MISSING, "")

    def get_validated_token(self, raw_token: Any) -> IdToken:  # type: ignore[override]
        """
        Verify the token's text.

        :raises WrappedMopedError: with the reason
        """
        try:
            return verifier.verify(raw_token)
        except (verifier.TokenError, verifier.KeysUnavailableError) as error:
            raise problems.WrappedMopedError(error) from error


def _bearer(header: str) -> str:
    """
    Return what follows the scheme; "" (which is malformed) unless it is one bearer token.

    Only the spaces that RFC 9110 allows around a token are dropped (sections 5.5 and 11.4).
    """
    scheme, _, token = header.partition(" ")
    return token.lstrip(" ").rstrip(" \t") if scheme.lower() == "bearer" else ""


def _token_in_cookie(request: Request) -> IdToken | None:
    try:
        return cookies.verified_token(request)
    except verifier.KeysUnavailableError as error:
        raise problems.WrappedMopedError(error) from error


def _enforce_csrf(request: Request) -> None:
    """
    Refuse an unsafe request with a cookie unless one of our pages sent it.

    Django compares the Origin only if the browser sends one. Here it is required.
    """
    if request.method in SAFE_METHODS:
        return
    if "HTTP_ORIGIN" not in request.META:
        raise PermissionDenied("Requests by cookie must say their Origin.", "csrf_failed")
    check = CSRFCheck(_csrf_protected_view)
    check.process_request(request._request)  # noqa: SLF001 (as DRF's SessionAuthentication does)
    if check.process_view(request._request, _csrf_protected_view, (), {}):  # noqa: SLF001
        raise PermissionDenied("The CSRF token is missing or wrong.", "csrf_failed")
