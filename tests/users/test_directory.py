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
    return [user.first_name for user in selectors.list_users(**filters)]


class TestListing:
    @pytest.mark.parametrize(
        ("filters", "expected"),
        [
            ({}, ["Bob", "Ann", "Zoë", "Cid"]),
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


class TestHistory:
    def test_outlives_the_account(self) -> None:
        account, person = uuid4(), MopedUser.objects.get(first_name="Bob")
        Event.objects.create(operation="delete", user=person, cognito_user_id=account)

        assert [event.operation for event in selectors.history(account)] == ["delete"]

    def test_is_nobodys_for_an_unknown_account(self) -> None:
        with pytest.raises(UserNotFoundError):
            selectors.history(uuid4())
