"""Every route as every persona and without a token, against the access tables of all apps."""

import importlib
import re
from http import HTTPStatus
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from apps.core.http import routes
from apps.devstack.personas import PERSONAS
from apps.health import probes
from tests.conftest import Impersonate
from tests.support.callers import ANONYMOUS, EVERYONE, Table

REFUSALS = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
VALUES = {"uuid": "22222222-2222-4222-8222-222222222222", "path": "private/project/1/none.pdf"}


def tables() -> Table:
    merged: Table = {}
    for file in sorted(Path(__file__).parent.glob("*/access.py")):
        merged |= importlib.import_module(f"tests.{file.parent.name}.access").ACCESS
    return merged


def served() -> list[tuple[str, routes.Route]]:
    return [(method, route) for route in routes.listing() for method in route.methods]


def allowed_to_call(method: str, route: routes.Route) -> frozenset[str]:
    """Return who may call a route, as the access tables state it."""
    allowed = tables().get((method, route.name))
    if allowed is None:
        pytest.fail(
            f'No access table has {method} {route.path}. Add ("{method}", "{route.name}") to ACCESS in'
            " tests/<app>/access.py, with who may call it."
        )
    return allowed


def path_of(route: routes.Route) -> str:
    """Fill what the route captures with something that is not there."""
    return re.sub(
        r"<(?:(\w+):)?\w+>", lambda capture: VALUES.get(capture[1] or "", VALUES["uuid"]), route.path
    )


class TestTables:
    def test_have_every_route(self) -> None:
        assert {(method, route.name) for method, route in served()} == tables().keys()

    def test_know_every_persona(self) -> None:
        assert {persona.key for persona in PERSONAS} | {ANONYMOUS} == EVERYONE


def well() -> None:
    """A probe that finds its neighbour."""


@pytest.mark.django_db
class TestEveryRoute:
    @pytest.fixture(autouse=True)
    def _ready(self, settings: Settings) -> None:
        settings.READINESS_PROBES = {"neighbour": f"{__name__}.well"}
        probes._cache.clear()

    @pytest.mark.parametrize("persona", sorted(EVERYONE))
    @pytest.mark.parametrize(
        ("method", "route"), served(), ids=[f"{method} {route.path}" for method, route in served()]
    )
    def test_lets_in_whom_the_table_lets_in(
        self, impersonate: Impersonate, method: str, route: routes.Route, persona: str
    ) -> None:
        status = impersonate(persona).generic(method, path_of(route)).status_code

        is_allowed = persona in allowed_to_call(method, route)
        assert (status not in REFUSALS) == is_allowed
        assert status < HTTPStatus.INTERNAL_SERVER_ERROR
        if persona == ANONYMOUS:
            assert status == (HTTPStatus.OK if is_allowed else HTTPStatus.UNAUTHORIZED)
