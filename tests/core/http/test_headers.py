import re
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.core.http import routes

DEFAULT_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "Cache-Control": "no-store",
}
PATHS = [*(re.sub(r"<[^>]+>", "x", route.path) for route in routes.listing()), "/nowhere"]


@pytest.fixture
def client() -> APIClient:
    return APIClient(raise_request_exception=False)


class TestEveryRoute:
    @pytest.mark.parametrize(
        ("path", "accept", "script"),
        [
            *((path, "application/json", "default-src 'none'; frame") for path in PATHS),
            *((path, "text/html", "script-src 'self';") for path in [*PATHS, "/docs/"]),
        ],
    )
    def test_has_the_headers_of_its_kind(
        self, client: APIClient, path: str, accept: str, script: str
    ) -> None:
        headers = client.get(path, headers={"accept": accept}, secure=True).headers

        assert {name: headers.get(name) for name in DEFAULT_HEADERS} == DEFAULT_HEADERS
        assert script in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Content-Type"].startswith("text/html") == (accept == "text/html")
        assert headers["X-Request-ID"]
        assert {name.lower() for name in headers}.isdisjoint({"server", "x-powered-by", "x-django-version"})


@pytest.mark.django_db  # closing the file ends the request, which looks after connections
class TestStaticFiles:
    def test_may_be_cached(self, client: APIClient) -> None:
        response: Any = client.get("/static/moped/moped.css")

        assert b"".join(response.streaming_content)
        response.close()
        assert response.headers["Cache-Control"] != "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
