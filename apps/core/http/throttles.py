"""
Limits per caller for requests that cost money or allow guessing.

Each process counts on its own, so that one caller cannot take up a whole container. API Gateway has the
limit for all containers together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from apps.core.context import current

if TYPE_CHECKING:
    from rest_framework.views import APIView


class CallerRateThrottle(SimpleRateThrottle):
    """Counts by the caller's `sub`, or by the client's IP address if the caller is anonymous."""

    def get_cache_key(self, request: Request, view: APIView) -> str:
        """Return the key that all requests of one caller have in common."""
        caller = getattr(getattr(request, "user", None), "sub", "") or current().client_address
        return f"throttle:{self.scope}:{caller}"


class WriteThrottle(CallerRateThrottle):
    """Limits changes of accounts."""

    scope = "writes"


class SignatureThrottle(CallerRateThrottle):
    """Limits signatures for files."""

    scope = "signatures"


class SignInThrottle(CallerRateThrottle):
    """Limits sign-ins that come back with a code. Only there can a stranger guess."""

    scope = "sign_ins"

    def seconds_until_free(self, request: Any) -> int:
        """Count this attempt and return 0, or return the seconds to wait."""
        if self.allow_request(request, None):  # type: ignore[arg-type] # the scope is known without a view
            return 0
        return int(self.wait() or 0) + 1
