"""The same answer from a plain Django view: our verifier, json, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import JsonResponse
from django.urls import path

from apps.auth.tokens import verifier
from benchmarks.answer import answer

if TYPE_CHECKING:
    from django.http import HttpRequest


def current_user(request: HttpRequest) -> JsonResponse:
    """Say who is calling."""
    token = verifier.verify(request.META["HTTP_AUTHORIZATION"].removeprefix("Bearer "))
    return JsonResponse(answer(token.payload))


urlpatterns = [path("auth/current_user", current_user)]
