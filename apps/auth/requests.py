"""DRF's request as our views meet it, for type checkers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework import request

if TYPE_CHECKING:
    from apps.auth.callers import CognitoUser


class Request(request.Request):
    """
    A request of a known caller.

    Behind any permission but AllowAny, no caller is anonymous.
    """

    user: CognitoUser  # type: ignore[assignment]
