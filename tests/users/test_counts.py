"""What each operation costs, as docs/staff-accounts.md says: the same for two people as for thirty."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from apps.claims.hasura import EDITOR, VIEWER
from apps.users import selectors, services
from tests.users.fault_injection import observe_steps
from tests.users.stores import NEW_PASSWORD, PASSWORD, profile

if TYPE_CHECKING:
    from collections.abc import Callable

    from apps.auth.callers import CognitoUser
    from apps.users.models import MopedUser
    from tests.users.stores import Stores

pytestmark = pytest.mark.emulator

DOCUMENT = Path(__file__).parents[2] / "docs" / "staff-accounts.md"
SQL = {"SELECT", "INSERT", "UPDATE", "DELETE", "COMMIT"}
TABLE = {"GetItem", "PutItem", "DeleteItem"}


def documented() -> dict[str, tuple[int, int, int]]:
    """Read the table: operation → calls to Cognito, to DynamoDB, statements."""
    rows = re.findall(
        r"^\| `?(\w[\w ,]*)`? \|.*?\| (\d+) \| (\d+) \| (\d+) \|$", DOCUMENT.read_text("utf-8"), re.MULTILINE
    )
    return {name: (int(pool), int(table), int(sql)) for name, pool, table, sql in rows}


def count(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> tuple[int, int, int]:
    with observe_steps(monkeypatch) as injector:
        act()
    steps = Counter(
        "sql" if step in SQL else "table" if step in TABLE else "pool"
        for step in injector.log
        if step != "GetSecretValue"
    )
    return steps["pool"], steps["table"], steps["sql"] - injector.log.count("COMMIT")


def every_operation(
    monkeypatch: pytest.MonkeyPatch, admin: CognitoUser, user: MopedUser
) -> dict[str, tuple[int, int, int]]:
    """Do each operation once, on people of its own, and count."""
    account: Any = user.cognito_user_id
    email = user.address

    def update(password: str = "", **changes: Any) -> object:
        return services.update_user(
            actor=admin, cognito_user_id=account, password=password, **profile(**({"email": email} | changes))
        )

    new: dict[str, Any] = {"actor": admin, "password": PASSWORD}
    moved = f"moved.{email}"
    return {
        "create": count(monkeypatch, lambda: services.create_user(**new, **profile(f"new.{email}"))),
        "update": count(monkeypatch, lambda: update(roles=[VIEWER])),
        "update, password": count(monkeypatch, lambda: update(NEW_PASSWORD, roles=[VIEWER])),
        "update, address": count(monkeypatch, lambda: update(email=moved)),
        "show": count(monkeypatch, lambda: selectors.get_user_detail(account)),
        "history": count(monkeypatch, lambda: selectors.history(account)),
        "list": count(monkeypatch, list_some),
        "deactivate": count(
            monkeypatch, lambda: services.deactivate_user(actor=admin, cognito_user_id=account)
        ),
        "activate": count(monkeypatch, lambda: services.activate_user(**new, email=moved, roles=[VIEWER])),
    }


def list_some() -> object:
    users = selectors.list_users(search="O'Neill", role=EDITOR, workgroup=3, active=True)
    return users.count(), list(users[:50])


class TestCosts:
    def test_match_the_document_for_any_number_of_users(
        self, stores: Stores, admin: CognitoUser, email: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        among_few = every_operation(monkeypatch, admin, stores.admit(email, [EDITOR]))
        for number in range(30):
            stores.admit(f"crowd{number}.{email}", [EDITOR])

        among_many = every_operation(monkeypatch, admin, stores.admit(f"late.{email}", [EDITOR]))

        assert among_many == among_few == documented()
