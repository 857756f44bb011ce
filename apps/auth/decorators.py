"""Decorators for function views."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from apps.auth.permissions import get_caller


def normalize_claims(view: Callable[..., Response]) -> Callable[..., Response]:
    """
    Pass the caller's Hasura claims to the view as `claims`, an immutable object.

    Put it below `@api_view`, since it needs DRF's request. A class view does not need it: it can use
    `request.user.claims`.
    """

    @wraps(view)
    def with_claims(request: Request, *args: Any, **kwargs: Any) -> Response:
        return view(request, *args, claims=get_caller(request).claims, **kwargs)

    return with_claims
