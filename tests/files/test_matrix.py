"""Every persona, on both routes, with every kind of file: generated from what a line of each means."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from apps.devstack.personas import BY_KEY, PERSONAS
from apps.files.models import Project
from tests.files.conftest import make_file, make_person
from tests.support.callers import ANONYMOUS, EDITORS, EVERYONE, PROVEN_WITH_A_ROLE

if TYPE_CHECKING:
    from tests.conftest import Impersonate

ANOTHERS_ID = 999


class World(NamedTuple):
    """Ids that queries and keys are written with."""

    own: int
    live: int
    deleted: int


# The path → the status for a caller who may ask.
DOWNLOADS = {
    "private/project/{live}/80_04072022191747_40d4c982e064d0f9_live.pdf": 200,
    "public/project/{live}/80_04072022191747_40d4c982e064d0f9_live.pdf": 200,
    "/private/project/{live}/80_04072022191747_40d4c982e064d0f9_live.pdf": 200,
    "private/user/{own}/04072022191747_40d4c982e064d0f9_own.png": 200,
    "public/user/{own}/04072022191747_40d4c982e064d0f9_own.png": 200,
    "private/project/{live}/80_04072022191747_40d4c982e064d0f9_deleted.pdf": 404,
    "private/project/{live}/80_04072022191747_40d4c982e064d0f9_unknown.pdf": 404,
    "private/user/999/04072022191747_40d4c982e064d0f9_others.png": 404,
    "private/user/{own}0/04072022191747_40d4c982e064d0f9_others.png": 404,
    "private/user/0/04072022191747_40d4c982e064d0f9_nobodys.png": 404,
    "private/project/../user/999/others.png": 404,
    "private/user/{own}/../999/others.png": 404,
    "private/user/{own}/..%2f999/others.png": 404,
    "private/project/{live}/%2e%2e/%2e%2e/user/999/others.png": 404,
    "backups/database.sql": 404,
}
UPLOADS: dict[str, dict[str, str]] = {
    "own": {"file": "a.pdf"},
    "own-public": {"file": "a.pdf", "type": "public"},
    "live": {"file": "a.pdf", "project_id": "{live}"},
    "deleted": {"file": "a.pdf", "project_id": "{deleted}"},
    "unknown": {"file": "a.pdf", "project_id": "2147483647"},
    "traversal": {"file": "a.pdf", "project_id": "../{live}"},
    "traversal-in-name": {"file": "../{live}/a.pdf"},
    "traversal-in-type": {"file": "a.pdf", "type": "../private"},
}
SIGNED_CASES = {"own", "own-public", "live"}


@pytest.fixture
def world(persona: str, db: None) -> World:
    """Rows for everyone, a live project and a deleted one, and rows that prove nothing."""
    for each in PERSONAS:
        if each.database_id:
            make_person(each.database_id, each.email, account=None)
    other = make_person(ANOTHERS_ID, "other@austintexas.gov", account=None)
    live = Project.objects.create(project_name="live")
    deleted = Project.objects.create(project_name="deleted", is_deleted=True)
    ids = World(BY_KEY[persona].database_id if persona != ANONYMOUS else 0, live.pk, deleted.pk)
    for key in DOWNLOADS:
        if "unknown" not in key and "/own.png" not in key:
            stored_key = key.format(**ids._asdict()).replace("%2e", ".").replace("%2f", "/")
            make_file(stored_key.lstrip("/"), live, other, is_deleted="deleted" in key)
    return ids


def expected(persona: str, allowed: frozenset[str], status: int) -> int:
    if persona == ANONYMOUS:
        return 401
    return status if persona in allowed else 403


def signatures(caplog: pytest.LogCaptureFixture) -> int:
    return sum(record.getMessage().endswith("_signed") for record in caplog.records)


@pytest.mark.parametrize("persona", sorted(EVERYONE))
class TestMatrix:
    @pytest.mark.parametrize("key", DOWNLOADS)
    def test_of_downloads(
        self, impersonate: Impersonate, world: World, persona: str, key: str, caplog: Any
    ) -> None:
        caplog.set_level(logging.INFO)
        response = impersonate(persona).get(f"/files/download/{key.format(**world._asdict())}")

        assert response.status_code == expected(persona, PROVEN_WITH_A_ROLE, DOWNLOADS[key])
        assert ("download_url" in response.json()) == (response.status_code == 200)
        assert signatures(caplog) == (response.status_code == 200)

    @pytest.mark.parametrize("case", UPLOADS)
    def test_of_uploads(
        self, impersonate: Impersonate, world: World, persona: str, case: str, caplog: Any
    ) -> None:
        caplog.set_level(logging.INFO)
        query = {name: value.format(**world._asdict()) for name, value in UPLOADS[case].items()}
        response = impersonate(persona).get("/files/request-signature", query)

        assert response.status_code == expected(persona, EDITORS, 200 if case in SIGNED_CASES else 400)
        assert ("credentials" in response.json()) == (response.status_code == 200)
        assert signatures(caplog) == (response.status_code == 200)
