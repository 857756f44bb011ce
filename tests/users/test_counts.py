"""What each operation costs, as docs/staff-accounts.md says: the same for two people as for thirty."""

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apps.claims.hasura import EDITOR, VIEWER
from apps.users import selectors
from tests.users.fault_injection import observe_steps
from tests.users.stores import NEW_PASSWORD, Person

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


def every_operation(monkeypatch: pytest.MonkeyPatch, person: Person) -> dict[str, tuple[int, int, int]]:
    """Do each operation once, and count."""
    account: Any = person.admit().cognito_user_id
    moved = person.named("moved")
    operations: dict[str, Callable[[], object]] = {
        "create": person.named("new").create,
        "update": lambda: person.update(account=account, roles=[VIEWER]),
        "update, password": lambda: person.update(NEW_PASSWORD, account=account, roles=[VIEWER]),
        "update, address": lambda: person.update(account=account, email=moved.email),
        "show": lambda: selectors.get_user_detail(account),
        "history": lambda: selectors.history(account),
        "list": list_some,
        "deactivate": lambda: moved.deactivate(account),
        "activate": moved.activate,
    }
    return {name: count(monkeypatch, operation) for name, operation in operations.items()}


def list_some() -> object:
    users = selectors.list_users(search="O'Neill", role=EDITOR, workgroup=3, active=True)
    return users.count(), list(users[:50])


class TestCosts:
    def test_match_the_document_for_any_number_of_users(
        self, person: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        among_few = every_operation(monkeypatch, person)
        for number in range(30):
            person.named(f"crowd{number}").admit()

        among_many = every_operation(monkeypatch, person.named("late"))

        assert among_many == among_few == documented()
