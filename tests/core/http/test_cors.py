from typing import Any

import pytest
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from apps.core.http import routes
from tests.core.test_environment import read_setting

EDITOR = "https://moped.example"
PREVIEW = "https://deploy-preview-12--atd-moped-main.netlify.app"
PATTERN = r"^https://deploy-preview-\d+--atd-moped-main\.netlify\.app$"


@pytest.fixture
def client(settings: Settings) -> APIClient:
    settings.CORS_ALLOWED_ORIGIN_REGEXES = [PATTERN]
    return APIClient(raise_request_exception=False)


def preflight(client: APIClient, path: str, origin: str) -> Any:
    return client.options(
        path,
        headers={
            "origin": origin,
            "access-control-request-method": "PUT",
            "access-control-request-headers": "authorization,content-type",
        },
    )


class TestPreflight:
    @pytest.mark.parametrize(
        ("path", "origin"), [("/users/", EDITOR), ("/users/", PREVIEW), ("/no%0Awhere", EDITOR)]
    )
    def test_needs_no_token(self, client: APIClient, path: str, origin: str) -> None:
        response = preflight(client, path, origin)

        assert response.status_code == 200
        assert response.headers["Access-Control-Allow-Origin"] == origin
        headers = response.headers["Access-Control-Allow-Headers"].split(", ")
        assert {"authorization", "content-type"} <= set(headers)

    def test_offers_the_methods_of_our_routes(self, client: APIClient) -> None:
        offered = preflight(client, "/users/", EDITOR).headers["Access-Control-Allow-Methods"]

        served = {method for route in routes.listing() for method in route.methods}
        assert set(offered.split(", ")) == served | {"OPTIONS"}

    @pytest.mark.parametrize("path", ["/users/", "/nowhere"])
    def test_is_no_more_than_any_other_options(self, client: APIClient, path: str) -> None:
        response = client.options(path, headers={"origin": EDITOR})

        assert (response.status_code, response.content) == (200, b"")
        assert response.headers["Access-Control-Allow-Origin"] == EDITOR
        assert "Content-Type" not in response.headers
        assert response.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"

    @pytest.mark.parametrize(
        "origin",
        [
            "https://evil.example",
            "http://moped.example",
            "https://moped.example.evil.example",
            "https://deploy-preview-12--atd-moped-main.netlify.app.evil.example",
            "https://deploy-preview-x--atd-moped-main.netlify.app",
            "null",
        ],
    )
    def test_gives_an_unknown_origin_nothing(self, client: APIClient, origin: str) -> None:
        for response in (preflight(client, "/users/", origin), client.get("/", headers={"origin": origin})):
            assert "Access-Control-Allow-Origin" not in response.headers


class TestAllowedOrigins:
    def test_are_read_with_or_without_a_closing_slash(self) -> None:
        """A browser sends none."""
        origins = read_setting("*CORS_ALLOWED_ORIGINS", MOPED_API_CORS_ORIGINS=f"{EDITOR}/,https://localhost")

        assert origins == f"{EDITOR} https://localhost"


@pytest.mark.urls("tests.core.http.broken_urls")
class TestEveryAnswer:
    @pytest.mark.parametrize(
        ("method", "path", "headers"),
        [
            ("get", "/", {}),
            ("get", "/auth/current_user", {"authorization": "Bearer null"}),
            ("get", "/nowhere", {}),
            ("delete", "/", {}),
            ("get", "/fail/crash", {}),
            ("get", "/plain/crash", {}),
            ("get", "/plain/suspicious", {}),
            ("get", "/", {"host": "evil.example"}),
        ],
    )
    def test_may_be_read_by_the_editor(
        self, client: APIClient, method: str, path: str, headers: dict[str, str]
    ) -> None:
        headers = {"origin": EDITOR, **headers}
        response = getattr(client, method)(path, headers=headers)

        assert response.headers["Access-Control-Allow-Origin"] == headers["origin"]
        assert "Access-Control-Allow-Credentials" not in response.headers
        assert "origin" in response.headers["Vary"].lower()
        exposed = response.headers["Access-Control-Expose-Headers"]
        assert {"X-Request-ID", "X-Amzn-Remapped-WWW-Authenticate"} <= set(exposed.split(", "))
