"""Cross-origin answers: django-cors-headers decides, once for each origin."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from corsheaders import middleware
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase

REMEMBERED_ORIGINS = 64


class CorsMiddleware(middleware.CorsMiddleware):
    """
    The library's middleware with a memory.

    By itself it reads its settings and parses every allowed origin again for every response. That
    takes a seventh of a minimal request, and the result is always the same.
    """

    def is_enabled(self, request: HttpRequest) -> bool:
        """Every path takes part: errors and unknown paths, too."""
        return True

    def check_preflight(self, request: HttpRequest) -> HttpResponseBase | None:
        """Answer every OPTIONS as the Flask API did, preflight or not: with an empty body."""
        answer = super().check_preflight(request)
        if answer is None and request.method == "OPTIONS":
            answer = HttpResponse(headers={"content-length": "0"})
        if answer is not None:
            del answer.headers["Content-Type"]  # of nothing; it would count as a page
        return answer

    def add_response_headers(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Add what the library says to this origin; preflights, which are rare, it answers itself."""
        if request.method == "OPTIONS":
            return super().add_response_headers(request, response)
        patch_vary_headers(response, ("origin",))
        origin = request.META.get("HTTP_ORIGIN")
        for name, value in _answer_to(origin) if origin else ():
            response.headers[name] = value
        return response


@lru_cache(REMEMBERED_ORIGINS)
def _answer_to(origin: str) -> tuple[tuple[str, str], ...]:
    request, response = HttpRequest(), HttpResponse()
    request.META["HTTP_ORIGIN"] = origin
    _library.add_response_headers(request, response)
    return tuple((name, value) for name, value in response.items() if name.startswith("access-control-"))


_library = middleware.CorsMiddleware(HttpResponse)  # what it would wrap is never called


@receiver(setting_changed)
def _forget_when_settings_change(*, setting: str, **_: Any) -> None:
    if setting.startswith("CORS_"):
        _answer_to.cache_clear()
