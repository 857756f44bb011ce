"""
What of a database is ours.

Hasura's tables live in `public`, ours in a schema of our own; both are on the search path, and a
table that is made lands in the first of them that exists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import NotSupportedError, ProgrammingError, connection, connections, models

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import LiteralString

    from django.db.backends.base.base import BaseDatabaseWrapper

# PostgreSQL refuses to execute a prepared query: its columns changed type, or the session was reset.
CACHED_PLAN_CHANGED = "0A000"
NO_SUCH_PREPARED_STATEMENT = "26000"


class CIEmailField(models.EmailField):  # type: ignore[type-arg] # generic in the stubs only
    """
    An address in a `citext` column: equal, unique and sorted without regard to case.

    `contains`, `startswith` and `regex` compare as text; use their `i…` forms.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """Return the column's type."""
        return "citext"

    def cast_db_type(self, connection: BaseDatabaseWrapper) -> str:
        """Return the type of a cast value."""
        return "citext"


class ClockTimestamp(models.Func):
    """The database's clock at this very moment, not at the start of the transaction."""

    function = "clock_timestamp"
    output_field = models.DateTimeField()


def fetch_row(query: LiteralString, parameters: Sequence[Any]) -> tuple[Any, ...] | None:
    """
    Execute a prepared query, and return its first row.

    Django's own cursors bind parameters in the client, so PostgreSQL would plan each query anew.
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


def make_own_schema(using: str = "default", **_signal: Any) -> None:
    """Make our schema before the first migration, so that `django_migrations` lands in it too."""
    with connections[using].cursor() as cursor:
        # Asked first: an operator who may not create schemas need not, once there is one.
        cursor.execute("SELECT to_regnamespace(%s)", [settings.OWN_SCHEMA])
        if cursor.fetchone() == (None,):
            cursor.execute(f'CREATE SCHEMA "{settings.OWN_SCHEMA}"')
