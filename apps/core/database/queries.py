"""Queries that Django's own cursors cannot express."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import NotSupportedError, ProgrammingError, connection

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import LiteralString

# PostgreSQL refuses to execute a prepared query: its columns changed type, or the session was reset.
CACHED_PLAN_CHANGED = "0A000"
NO_SUCH_PREPARED_STATEMENT = "26000"


def fetch_row(query: LiteralString, parameters: Sequence[Any]) -> tuple[Any, ...] | None:
    """
    Execute a prepared query, and return its first row.

    Django's own cursors bind parameters in the client, so PostgreSQL would plan each query again.
    A query that PostgreSQL refuses because its plan is outdated was not executed: it is sent once
    more, on a new connection, unless it is part of a transaction.
    """
    try:
        return _execute_prepared(query, parameters)
    except (NotSupportedError, ProgrammingError) as error:
        if connection.in_atomic_block or not _is_outdated_plan(error):
            raise
    connection.close()
    return _execute_prepared(query, parameters)


def _execute_prepared(query: LiteralString, parameters: Sequence[Any]) -> tuple[Any, ...] | None:
    from psycopg import Cursor  # noqa: PLC0415 (importing it would delay every cold start)

    with connection.cursor():  # Django connects, and checks a connection that it kept
        connection.validate_no_broken_transaction()
        with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
            row: tuple[Any, ...] | None = cursor.execute(query, parameters, prepare=True).fetchone()
    return row


def _is_outdated_plan(error: Exception) -> bool:
    sqlstate = getattr(error.__cause__, "sqlstate", "")
    return sqlstate in {CACHED_PLAN_CHANGED, NO_SUCH_PREPARED_STATEMENT}
