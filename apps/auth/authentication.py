"""
Authentication by the Authorization header, else by the cookie of a browser sign-in.

The settings list the two classes in this order, the second one only if browsers can sign in. If there is a
header, it must be valid: the cookie does not replace it.

simplejwt imports the models of `django.contrib.auth` for annotations. They need two of Django's apps, whose
tables must not be created in the City's database. The first model without a `db_table` also makes Django
import psycopg, which takes a fifth of a cold start.
"""

from typing import ClassVar

from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from apps.auth.browser import cookies
from apps.auth.callers import CognitoUser
from apps.auth.tokens import errors, verifier
from apps.core.http import problems
from apps.core.imports import Replacement, deferred

DEFERRED: dict[str, Replacement] = {
    "django.contrib.auth.models": ("AbstractBaseUser", "Group", "Permission"),
    "django.test.signals": "django.core.signals",  # the original imports the test framework
    "rest_framework_simplejwt.token_blacklist.models": ("BlacklistedToken", "OutstandingToken"),
}

with deferred(DEFERRED):
    from rest_framework_simplejwt.authentication import JWTStatelessUserAuthentication


class CognitoAuthentication(JWTStatelessUserAuthentication):
    """Verifies a Cognito ID token in the Authorization header. `authenticate` is simplejwt's."""

    errors: ClassVar = (*errors.TOKEN_ERRORS, errors.KeysUnavailableError)
    """The errors that its answers may have, for the reference."""

    def __init__(self) -> None:
        """Skip simplejwt's look-up of a user model, which does not exist here."""

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge that makes DRF answer 401 rather than 403."""
        return problems.challenge(problems.TOKEN_MISSING, "")

    def get_header(self, request: Request) -> str | None:  # type: ignore[override]
        """Return the header, or None if it is empty. simplejwt's own method fails unless it is Latin-1."""
        return request.META.get("HTTP_AUTHORIZATION") or None

    def get_raw_token(self, header: str) -> str:  # type: ignore[override]
        """
        Return the token after the scheme `Bearer`, or "" for other schemes, which is malformed.

        Only the spaces that RFC 9110 allows around a token are dropped (sections 5.5 and 11.4).
        """
        scheme, _, token = header.partition(" ")
        return token.lstrip(" ").rstrip(" \t") if scheme.lower() == "bearer" else ""

    def get_validated_token(self, raw_token: str) -> CognitoUser:  # type: ignore[override]
        """
        Verify the token.

        :raises WrappedMopedError: 401 with the reason, or 503 if no key of the pool is known
        """
        try:
            return verifier.verify(raw_token)
        except (errors.TokenError, errors.KeysUnavailableError) as error:
            raise problems.WrappedMopedError(error) from error

    def get_user(self, validated_token: CognitoUser) -> CognitoUser:  # type: ignore[override]
        """Return the caller that the token names."""
        return validated_token


class CookieAuthentication(SessionAuthentication):
    """
    Verifies the ID token in the cookie of a browser sign-in.

    A caller with an invalid cookie is anonymous and may sign in again. Unsafe methods need a CSRF token and
    our Origin.
    """

    def authenticate(self, request: Request) -> tuple[CognitoUser, CognitoUser] | None:
        """
        Return the caller, or None without a valid cookie.

        :raises WrappedMopedError: 503 if no key of the pool is known
        """
        try:
            caller = cookies.verified_caller(request)
        except errors.KeysUnavailableError as error:
            raise problems.WrappedMopedError(error) from error
        if caller is None:
            return None
        self.enforce_csrf(request)
        return caller, caller

    def enforce_csrf(self, request: Request) -> None:
        """
        Refuse a request with an unsafe method, unless one of our pages sent it.

        Django's check compares the Origin only if a browser sends one. Here it is required.
        """
        if request.method in SAFE_METHODS:
            return
        if "HTTP_ORIGIN" not in request.META:
            raise PermissionDenied("Requests by cookie must say their Origin.", "csrf_failed")
        try:
            super().enforce_csrf(request._request)  # type: ignore[arg-type] # noqa: SLF001 (DRF's parsers may raise)
        except PermissionDenied as error:
            raise PermissionDenied("The CSRF token is missing or wrong.", "csrf_failed") from error
