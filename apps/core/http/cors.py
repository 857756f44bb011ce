"""Cross-origin answers, as django-cors-headers decides them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corsheaders import middleware
from django.http import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase


class CorsMiddleware(middleware.CorsMiddleware):
    """The library's middleware, which also answers an OPTIONS that is no preflight."""

    def check_preflight(self, request: HttpRequest) -> HttpResponseBase | None:
        """Answer every OPTIONS as the Flask API did, preflight or not: with an empty body."""
        answer = super().check_preflight(request)
        if answer is None and request.method == "OPTIONS":
            answer = HttpResponse(headers={"content-length": "0"})
        if answer is not None:
            del answer.headers["Content-Type"]  # of nothing; it would count as a page
        return answer
