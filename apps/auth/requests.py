"""DRF's request as our views meet it, for type checkers."""

from rest_framework import request

from apps.auth.callers import CognitoUser


class Request(request.Request):
    """
    A request of a known caller.

    Behind any permission but AllowAny, no caller is anonymous.
    """

    user: CognitoUser  # type: ignore[assignment]
