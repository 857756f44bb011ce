from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from apps.users import selectors
from apps.users.errors import UserNotFoundError
from apps.users.models import Event, MopedUser
from tests.users.stores import profile

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def people() -> None:
    for first, last, changes in (
        ("Zoë", "Adams", {"roles": ["moped-admin"], "workgroup_id": 7}),
        ("Ann", "Adams", {}),
        ("Bob", "100%", {"is_deleted": True}),
        ("Cid", "O'Neill", {"roles": ["non-login-user"]}),
    ):
        values = profile(f"{first}.{last}@austintexas.gov", first_name=first, last_name=last, **changes)
        MopedUser.objects.create(**values)


def names(**filters: Any) -> list[str]:
    all_users: dict[str, Any] = {
        "limit": 50,
        "offset": 0,
        "search": "",
        "role": "",
        "workgroup": None,
        "active": None,
    }
    return [person.first_name for person in selectors.list_users(**(all_users | filters)).people]


class TestListing:
    @pytest.mark.parametrize(
        ("filters", "expected"),
        [
            ({}, ["Bob", "Ann", "Zoë", "Cid"]),
            ({"limit": 2, "offset": 1}, ["Ann", "Zoë"]),
            ({"offset": 9}, []),
            ({"search": "zoë adams"}, ["Zoë"]),
            ({"search": "ANN.ADAMS@"}, ["Ann"]),
            ({"search": "%"}, ["Bob"]),
            ({"search": "_"}, []),
            ({"search": "o'n"}, ["Cid"]),
            ({"role": "moped-admin"}, ["Zoë"]),
            ({"role": "nonsense"}, []),
            ({"workgroup": 7}, ["Zoë"]),
            ({"active": True}, ["Ann", "Zoë", "Cid"]),
            ({"active": False}, ["Bob"]),
        ],
    )
    def test_finds_in_a_stable_order(self, filters: dict[str, Any], expected: list[str]) -> None:
        assert names(**filters) == expected

    def test_counts_what_is_not_on_the_page(self) -> None:
        page = selectors.list_users(limit=1, offset=0, search="", role="", workgroup=None, active=None)

        assert (page.total, len(page.people)) == (4, 1)


class TestHistory:
    def test_outlives_the_account(self) -> None:
        account, person = uuid4(), MopedUser.objects.get(first_name="Bob")
        Event.objects.create(operation="delete", user=person, cognito_user_id=account)

        assert [event.operation for event in selectors.history(account)] == ["delete"]

    def test_is_nobodys_for_an_unknown_account(self) -> None:
        with pytest.raises(UserNotFoundError):
            selectors.history(uuid4())
