"""Prepared queries against a real PostgreSQL."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from django.db import DataError, NotSupportedError, OperationalError, connection, transaction

from apps.core.database.queries import fetch_row
from apps.files.models import Project

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db(transaction=True)

ECHO = "SELECT %s::bigint, %s::text, NULL"
BACKEND = "SELECT pg_backend_pid()"
PROJECT = "SELECT project_id FROM moped_project WHERE project_name = %s::text"


def backend() -> int:
    row = fetch_row(BACKEND, [])
    assert row
    return int(row[0])


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def end_connection() -> None:
    """Let the server end the connection, as a failover does."""
    with closing(connection.copy()) as another, another.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 60000)", [backend()])


def prepared() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        return int(cursor.fetchone()[0])


class TestFetchRow:
    """One prepared query, and its first row."""

    def test_returns_the_first_row(self) -> None:
        assert fetch_row(ECHO, [2, "Jané's \\ %s $1"]) == (2, "Jané's \\ %s $1", None)
        assert fetch_row(ECHO, [None, None]) == (None, None, None)

    def test_returns_none_without_a_row(self) -> None:
        assert fetch_row(PROJECT, ["no such project"]) is None

    def test_prepares_a_query_once_for_a_connection(self) -> None:
        connection.close()
        fetch_row(PROJECT, ["a"])
        fetch_row(PROJECT, ["b"])
        assert prepared() == 1

    def test_prepares_nothing_where_the_settings_forbid_it(self) -> None:
        """As behind a pooler that gives each transaction another backend."""
        connection.close()
        connection.ensure_connection()
        connection.connection.prepare_threshold = None
        try:
            assert fetch_row(ECHO, [2, "x"]) == (2, "x", None)
            assert prepared() == 0
        finally:
            connection.close()

    def test_reads_what_its_transaction_wrote(self) -> None:
        with transaction.atomic():
            Project.objects.create(project_name="Barton Springs Road")
            assert fetch_row(PROJECT, ["Barton Springs Road"])
            transaction.set_rollback(True)
        assert fetch_row(PROJECT, ["Barton Springs Road"]) is None

    def test_refuses_a_transaction_that_must_be_rolled_back(self) -> None:
        with transaction.atomic():
            transaction.set_rollback(True)
            with pytest.raises(transaction.TransactionManagementError):
                fetch_row(ECHO, [1, "x"])


class TestFetchRowErrors:
    """What goes wrong, as Django reports it."""

    def test_refuses_a_nul_and_keeps_the_connection(self) -> None:
        before = backend()
        with pytest.raises(DataError):
            fetch_row(ECHO, [1, "private\0/x"])
        assert backend() == before

    def test_raises_djangos_error_for_a_bad_value(self) -> None:
        with pytest.raises(DataError, match="invalid input syntax"):
            fetch_row("SELECT %s::text::integer", ["seven"])
        assert fetch_row("SELECT %s::text::integer", ["7"]) == (7,)

    def test_raises_djangos_error_for_a_lost_connection(self) -> None:
        backend()
        end_connection()
        with pytest.raises(OperationalError):
            backend()
        connection.close_if_unusable_or_obsolete()
        assert backend()


class TestOutdatedPlan:
    """PostgreSQL refuses a prepared query without executing it."""

    @pytest.fixture(autouse=True)
    def _table(self) -> Iterator[None]:
        execute("CREATE TABLE IF NOT EXISTS outdated_plan (value integer)")
        execute("INSERT INTO outdated_plan VALUES (7)")
        fetch_row("SELECT * FROM outdated_plan", [])
        yield
        connection.close()
        execute("DROP TABLE outdated_plan")

    def change_the_type(self) -> None:
        """Change the type of a column over another connection, as a migration of Hasura's does."""
        with closing(connection.copy()) as another, another.cursor() as cursor:
            cursor.execute("ALTER TABLE outdated_plan ALTER COLUMN value TYPE text")

    def test_is_prepared_again_after_a_column_changed_its_type(self) -> None:
        self.change_the_type()
        assert fetch_row("SELECT * FROM outdated_plan", []) == ("7",)

    def test_is_prepared_again_after_the_session_was_reset(self) -> None:
        """As a pooler does between two clients, without telling psycopg."""
        connection.connection.pgconn.exec_(b"DISCARD ALL")
        assert fetch_row("SELECT * FROM outdated_plan", []) == (7,)

    def test_is_not_retried_in_a_transaction(self) -> None:
        self.change_the_type()
        with pytest.raises(NotSupportedError, match="cached plan"), transaction.atomic():
            fetch_row("SELECT * FROM outdated_plan", [])
