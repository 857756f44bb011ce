"""Every page under the stage's own URL, `https://<api>.execute-api.<region>.amazonaws.com/<stage>`."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import clear_script_prefix

from apps.auth.browser import cookies, sign_in
from apps.core.http import routes
from tests.conftest import Caller, Handler
from tests.support.lambda_events import CONTEXT, rest_event, url_event
from tests.support.token_factory import Signer

Visit = Callable[..., dict[str, Any]]


pytestmark = pytest.mark.django_db

HOST = "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"
PREFIX = "/staging"
LINK = re.compile(r"""\b(?:href|src|action|data-document)="([^"]*)\"""")
OPEN_ROUTE = f"{PREFIX}/docs/open"  # a form that names a route and its parameters
PAGES = [
    *(route.path for route in routes.listing() if "GET" in route.methods and "<" not in route.path),
    "/docs/",
    "/auth/callback",  # without a pending sign-in: the page of a failed one
    "/no/such/page",
]


def rest_api(path: str, **headers: str) -> dict[str, Any]:
    """Return the event of a REST API, whose path lacks the stage."""
    return rest_event(path, HOST, **headers) | {"requestContext": {**CONTEXT, "stage": "staging"}}


def http_api(path: str, **headers: str) -> dict[str, Any]:
    """Return the event of an HTTP API, whose path begins with the stage."""
    event = url_event(f"{PREFIX}{path}", HOST)
    context = {**event["requestContext"], "stage": "staging"}
    return event | {"requestContext": context, "headers": {"host": HOST, **headers}}


@pytest.fixture(params=[rest_api, http_api], ids=["REST API", "HTTP API"])
def visit(
    request: pytest.FixtureRequest, handler: Handler, settings: Any, calling: Caller
) -> Iterator[Visit]:
    """`visit(path)` opens a page as a browser that is signed in; `query` is the part after `?`."""
    settings.ALLOWED_HOSTS = [HOST]
    calling()  # the caller's rights are known
    signer: Signer = request.getfixturevalue("signer")
    headers = {"Accept": "text/html", "Cookie": f"{cookies.token_name()}={signer.token()}"}

    def open_page(path: str, query: str = "", **other: str) -> dict[str, Any]:
        path, _, own_query = path.partition("?")
        event = request.param(path, **headers | other)
        values = {name: value[0] for name, value in parse_qs(query or own_query).items()}
        return dict(handler(event | {"queryStringParameters": values, "rawQueryString": query or own_query}))

    yield open_page
    clear_script_prefix()


def location(answer: dict[str, Any]) -> str:
    assert answer["statusCode"] == 302
    return str(answer["headers"]["Location"])


class TestPage:
    @pytest.mark.parametrize("path", PAGES)
    def test_links_only_to_what_the_stage_serves(self, visit: Visit, path: str) -> None:
        links = set(LINK.findall(visit(path)["body"])) - {"#content", OPEN_ROUTE}

        assert f"{PREFIX}/static/moped/moped.css" in links
        for link in links - {f"{PREFIX}{path}"}:
            assert link.startswith(f"{PREFIX}/"), link
            assert visit(link.removeprefix(PREFIX))["statusCode"] != 404, link

    def test_opens_a_route_whose_parameters_were_typed(self, visit: Visit) -> None:
        answer = visit("/docs/open", "route=user&user_id=1")

        assert location(answer) == f"{PREFIX}/users/1"

    def test_marks_its_own_route(self, visit: Visit) -> None:
        body = visit("/auth/current_user")["body"]

        assert f'<a href="{PREFIX}/auth/current_user" aria-current="page">' in body


class TestOpenAPI:
    def test_names_the_stage_as_its_server(self, visit: Visit) -> None:
        document = json.loads(visit("/docs/openapi.json", Accept="application/json")["body"])

        assert document["servers"] == [{"url": PREFIX}]


class TestSignIn:
    def test_comes_back_to_the_stage(self, visit: Visit) -> None:
        parameters = parse_qs(urlsplit(location(visit("/auth/sign-in"))).query)

        assert parameters["redirect_uri"] == [f"https://{HOST}{PREFIX}/auth/callback"]

    def test_ends_at_a_page_of_the_stage(self, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
        targets = []
        begin = sign_in.begin

        def note(**keywords: str) -> Any:
            targets.append(keywords["target"])
            return begin(**keywords)

        monkeypatch.setattr(sign_in, "begin", note)

        visit("/auth/sign-in")
        visit("/auth/sign-in", f"next={PREFIX}/users/")

        assert targets == [f"{PREFIX}/auth/current_user", f"{PREFIX}/users/"]
