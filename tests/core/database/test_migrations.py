from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from apps.core.database.migrations import index_if_absent

VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('public.schema_test_idx')"
INTERRUPT = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass('public.schema_test_idx')"


@pytest.fixture
def table() -> Iterator[None]:
    run("CREATE TABLE public.schema_test (value text)")
    yield
    run("DROP TABLE public.schema_test")


def run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def answer(question: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(question)
        return cursor.fetchone()[0]


@pytest.mark.usefixtures("table")
@pytest.mark.django_db(transaction=True)
class TestIndexIfAbsent:
    OPERATION = index_if_absent("schema_test_idx", "schema_test (value)")

    def test_makes_it_and_leaves_one_that_is_there(self) -> None:
        for _ in range(2):
            run(*self.OPERATION.sql)

            assert answer(VALID)
            assert answer("SHOW statement_timeout") == "15s"

    def test_makes_an_interrupted_index_again(self) -> None:
        run(*self.OPERATION.sql, INTERRUPT)
        assert not answer(VALID)

        run(*self.OPERATION.sql)

        assert answer(VALID)
