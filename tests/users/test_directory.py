from __future__ import annotations

from typing import Any

import pytest

from apps.users import directory
from apps.users.models import MopedUser

pytestmark = pytest.mark.django_db

NO_FILTER: dict[str, Any] = {"search": "", "role": "", "workgroup": None, "active": None}


@pytest.fixture(autouse=True)
def people() -> None:
    MopedUser.objects.bulk_create(
        MopedUser(
            first_name=first,
            last_name=last,
            email=f"{first}.{last}@austintexas.gov".lower(),
            title="Planner",
            workgroup_id=workgroup,
            roles=roles,
            is_deleted=is_deleted,
        )
        for first, last, workgroup, roles, is_deleted in (
            ("Ada", "Zilker", 1, ["moped-admin"], False),
            ("Joan", "Barton", 2, ["moped-editor"], False),
            ("John", "Barton", 1, ["moped-viewer"], True),
            ("Zoë", "Lamar", 3, None, False),
        )
    )


def names(**filters: Any) -> list[str]:
    page = directory.listing(limit=50, offset=0, **{**NO_FILTER, **filters})
    assert page.total == len(page.people)
    return [user.first_name for user in page.people]


class TestListing:
    @pytest.mark.parametrize(
        ("filters", "expected"),
        [
            ({}, ["Joan", "John", "Zoë", "Ada"]),
            ({"search": "jo"}, ["Joan", "John"]),
            ({"search": "JOAN bar"}, ["Joan"]),
            ({"search": "ada.zilker@"}, ["Ada"]),
            ({"search": "zoë"}, ["Zoë"]),
            ({"search": "%"}, []),
            ({"search": "0" * 128}, []),
            ({"role": "moped-editor"}, ["Joan"]),
            ({"role": "nobody's"}, []),
            ({"workgroup": 1}, ["John", "Ada"]),
            ({"active": True}, ["Joan", "Zoë", "Ada"]),
            ({"active": False}, ["John"]),
            ({"search": "barton", "workgroup": 1, "active": False}, ["John"]),
        ],
        ids=str,
    )
    def test_finds_by(self, filters: dict[str, Any], expected: list[str]) -> None:
        assert names(**filters) == expected

    def test_takes_two_queries_whatever_the_size(self, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(2):
            directory.listing(limit=2, offset=1, **NO_FILTER)

    def test_pages_in_a_stable_order(self) -> None:
        pages = [directory.listing(limit=1, offset=offset, **NO_FILTER) for offset in range(5)]

        assert [user.first_name for page in pages for user in page.people] == ["Joan", "John", "Zoë", "Ada"]
        assert {page.total for page in pages} == {4}
