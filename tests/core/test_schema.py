from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection

from apps.core.schema import index_if_absent

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "schema_test_idx"


@pytest.fixture
def table() -> Iterator[None]:
    run("CREATE TABLE public.schema_test (value text)")
    yield
    run("DROP TABLE public.schema_test")


def run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def is_valid() -> bool | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [f"public.{NAME}"]
        )
        row = cursor.fetchone()
    return row and row[0]


@pytest.mark.usefixtures("table")
@pytest.mark.django_db(transaction=True)
class TestIndexIfAbsent:
    OPERATION = index_if_absent(NAME, "schema_test (value)")

    def make(self) -> None:
        run(*self.OPERATION.sql)  # type: ignore[misc] # statements, as we wrote them

    def test_makes_it(self) -> None:
        self.make()

        assert is_valid()

    def test_leaves_one_that_is_there(self) -> None:
        self.make()
        self.make()

        assert is_valid()

    def test_makes_one_anew_that_was_cut_off(self) -> None:
        self.make()
        run(f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'public.{NAME}'::regclass")
        assert is_valid() is False

        self.make()

        assert is_valid()

    def test_keeps_the_limit_on_everything_else(self) -> None:
        self.make()

        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("15s",)
