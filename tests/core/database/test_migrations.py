from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from apps.core.database.migrations import index_concurrently

NUMBER = "SELECT to_regclass('public.schema_test_idx')::oid"
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
class TestIndexConcurrently:
    @pytest.mark.parametrize("last_statement", ["SELECT 1", INTERRUPT], ids=["finished", "interrupted"])
    def test_makes_an_index_again_only_after_an_interruption(self, last_statement: str) -> None:
        operation = index_concurrently("schema_test_idx", "schema_test (value)")
        run(*operation.sql, last_statement)
        number, was_valid = answer(NUMBER), answer(VALID)
        assert was_valid == (last_statement != INTERRUPT)

        run(*operation.sql)

        # Dropping one that works would wait for all readers of the table, and after 5 s leave it broken.
        assert (answer(VALID), answer(NUMBER) == number) == (True, was_valid)
        assert answer("SHOW statement_timeout") == "15s"
