"""Cross-origin answers of django-cors-headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corsheaders import middleware
from django.http import HttpResponse

if TYPE_CHECKING:
    from django.http import HttpRequest


class CorsMiddleware(middleware.CorsMiddleware):
    """The library's middleware. As the Flask API did, it answers every OPTIONS, preflight or not."""

    def check_preflight(self, request: HttpRequest) -> HttpResponse | None:
        """Return the answer to OPTIONS, which has no body. A Content-Type would make it a page."""
        if request.method != "OPTIONS":
            return None
        answer = HttpResponse(headers={"content-length": "0"})
        del answer.headers["Content-Type"]
        return answer
