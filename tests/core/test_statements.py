"""Statements that are asked before something else is done and answered after it."""

from __future__ import annotations

import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from django.db import DataError, OperationalError, connection, transaction

from apps.core import statements
from apps.core.statements import Statement
from apps.files.models import Project

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db(transaction=True)

ECHO = Statement("echo", "SELECT $1::bigint, $2::text, $1 > 1, NULL")
NUMBER = Statement("number", "SELECT $1::text::integer")
NONE = Statement("none", "SELECT 1 WHERE $1::bigint = 0")
LOCKED = Statement("locked", "SELECT pg_advisory_xact_lock(4711)::text")
BACKEND = Statement("backend", "SELECT pg_backend_pid()")
PROJECT = Statement("project", "SELECT 1 FROM moped_project WHERE project_name = $1")


def end_connection() -> None:
    """Let the server end it, as after a failover."""
    (backend,) = BACKEND.answer() or ()
    another = connection.copy()
    with another.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
    another.close()


@contextmanager
def holding_the_lock() -> Iterator[Any]:
    """Let `LOCKED` wait."""
    with closing(connection.copy()) as another:
        with another.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(4711)")
        yield another


class TestAnswer:
    def test_is_the_first_row(self) -> None:
        assert ECHO.answer(2, "Jané's \\ %s $1") == ("2", "Jané's \\ %s $1", "t", None)
        assert ECHO.answer(None, None) == (None, None, None, None)

    def test_is_none_without_a_row(self) -> None:
        assert NONE.answer(7) is None

    def test_comes_when_the_block_is_over(self) -> None:
        with ECHO.asked(1, "x") as answer:
            assert not hasattr(answer, "row")
        assert answer.row == ("1", "x", "f", None)

    def test_begins_a_transaction_where_one_is_wanted(self) -> None:
        LOCKED.answer()
        with transaction.atomic():
            LOCKED.answer()
            with connection.cursor() as cursor:
                # This connection's: other workers of the test run lock in databases of the same server.
                cursor.execute(
                    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
                )
                assert cursor.fetchone() == (1,)

    def test_is_not_asked_in_a_transaction_that_is_to_be_rolled_back(self) -> None:
        with transaction.atomic():
            transaction.set_rollback(True)
            with pytest.raises(transaction.TransactionManagementError):
                ECHO.answer(1, "x")

    def test_may_be_to_a_long_question(self) -> None:
        text = "x" * 20_000_000
        assert ECHO.answer(1, text) == ("1", text, "f", None)

    def test_is_of_the_transaction(self) -> None:
        with transaction.atomic():
            Project.objects.create(project_name="Barton Springs Road")
            assert PROJECT.answer("Barton Springs Road")
            transaction.set_rollback(True)
        assert PROJECT.answer("Barton Springs Road") is None

    def test_lets_other_threads_run_while_it_is_awaited(self) -> None:
        with holding_the_lock() as another:
            another.inc_thread_sharing()
            letting_go = threading.Timer(0.2, another.close)  # never, if it cannot run
            letting_go.start()
            assert LOCKED.answer() == ("",)
            letting_go.join()


class TestFailure:
    @pytest.mark.parametrize("value", ["private\0/x", "\ud800"])
    def test_of_a_value_that_is_no_text_asks_nothing(self, value: str) -> None:
        before = BACKEND.answer()
        with pytest.raises(DataError):
            ECHO.answer(1, value)
        assert BACKEND.answer() == before

    def test_of_the_block_leaves_the_connection_as_it_was(self) -> None:
        before = BACKEND.answer()
        with pytest.raises(ZeroDivisionError), ECHO.asked(1, "x"):
            raise ZeroDivisionError
        assert BACKEND.answer() == before

    def test_of_the_statement_is_told_as_django_tells_it(self) -> None:
        with pytest.raises(DataError, match="invalid input syntax"), NUMBER.asked("seven"):
            pass
        assert NUMBER.answer("7") == ("7",)

    def test_of_the_connection_is_told_as_django_tells_it(self) -> None:
        end_connection()
        with pytest.raises(OperationalError):
            BACKEND.answer()
        assert BACKEND.answer()

    def test_of_the_connection_is_found_when_the_next_request_begins(self) -> None:
        end_connection()
        connection.close_if_unusable_or_obsolete()
        assert BACKEND.answer()

    def test_by_an_interruption_leaves_no_connection_that_waits_for_an_answer(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(_libpq: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(statements, "_next_result", interrupted)
            with pytest.raises(KeyboardInterrupt):
                ECHO.answer(1, "x")
        assert Project.objects.count() == 0

    def test_to_be_in_time_is_told_as_django_tells_it(self) -> None:
        with holding_the_lock(), connection.cursor() as own:
            own.execute("SET statement_timeout = 50")
            with pytest.raises(OperationalError, match="timeout"):
                LOCKED.answer()


class TestSettings:
    def test_may_forbid_to_prepare(self) -> None:
        """As behind a pooler that gives each transaction another backend."""
        connection.ensure_connection()
        connection.connection.prepare_threshold = None
        try:
            assert ECHO.answer(2, "x") == ("2", "x", "t", None)
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE name = 'echo'")
                assert cursor.fetchone() == (0,)
        finally:
            connection.close()
