"""Django REST Framework as a tutorial sets it up, with simplejwt's JWK_URL backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import path
from rest_framework.decorators import api_view
from rest_framework.response import Response

from benchmarks.answer import answer

if TYPE_CHECKING:
    from rest_framework.request import Request


@api_view(["GET"])
def current_user(request: Request) -> Response:
    """Say who is calling."""
    return Response(answer(dict(request.auth.payload)))  # type: ignore[union-attr]


urlpatterns = [path("auth/current_user", current_user)]
