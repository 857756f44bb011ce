"""Cross-origin answers: django-cors-headers decides, once for each origin."""

from functools import lru_cache
from typing import Any

from corsheaders import middleware
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

REMEMBERED_ORIGINS = 64


class CorsMiddleware(middleware.CorsMiddleware):
    """
    The library's middleware with a memory. As the Flask API did, it answers every OPTIONS, preflight or not.

    By itself it reads its settings and parses every allowed origin for every response: a whole request
    takes 0.73 of the Flask API's time with that, and 0.58 with the memory (benchmarks/bench_auth.py).
    """

    def check_preflight(self, request: HttpRequest) -> HttpResponse | None:
        """Return the answer to OPTIONS, which has no body. A Content-Type would make it a page."""
        if request.method != "OPTIONS":
            return None
        answer = HttpResponse(headers={"content-length": "0"})
        del answer.headers["Content-Type"]
        return answer

    def add_response_headers(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Add what the library says to this origin. Preflights, which are rare, it answers itself."""
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
    middleware.CorsMiddleware(HttpResponse).add_response_headers(request, response)
    return tuple((name, value) for name, value in response.items() if name.startswith("access-control-"))


@receiver(setting_changed)
def _forget_when_settings_change(*, setting: str, **_: Any) -> None:
    if setting.startswith("CORS_"):
        _answer_to.cache_clear()
