"""
Limits per caller on what costs money or invites guessing.

Each process counts for itself: this keeps one caller from running away with a container. The
limit that all containers share is API Gateway's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from apps.core.context import current

if TYPE_CHECKING:
    from rest_framework.views import APIView


class CallerRateThrottle(SimpleRateThrottle):
    """Counts by the caller's `sub`, or by the true client address where the caller is anonymous."""

    def get_cache_key(self, request: Request, view: APIView) -> str:
        """Return what is counted together."""
        caller = getattr(getattr(request, "user", None), "sub", "") or current().client_address
        return f"throttle:{self.scope}:{caller}"


class WriteThrottle(CallerRateThrottle):
    """Changes of accounts."""

    scope = "writes"


class SignatureThrottle(CallerRateThrottle):
    """Signatures for files."""

    scope = "signatures"


class SignInThrottle(CallerRateThrottle):
    """Sign-ins that come back with a code: the one place where a stranger may guess."""

    scope = "sign_ins"

    def seconds_until_free(self, request: Any) -> int:
        """Return 0 and count this attempt, or how long to wait."""
        if self.allow_request(request, None):  # type: ignore[arg-type] # the scope is ours already
            return 0
        return int(self.wait() or 0) + 1
