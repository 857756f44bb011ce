"""
What signatures ask the database, one statement each.

They are written out, and prepared, since they are asked before every signature: having Django build
such a statement takes longer than to sign, and so does having PostgreSQL plan it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db import connection

if TYPE_CHECKING:
    from uuid import UUID

    from psycopg import Connection, Cursor

# A thread has one connection; a container of ours has one thread.
REMEMBERED_CURSORS: Final = 8

PERSON: Final = """
    SELECT cognito_user_id, email, EXISTS (
        SELECT FROM moped_project WHERE project_id = %s AND NOT is_deleted
    )
    FROM moped_users WHERE user_id = %s AND NOT is_deleted
"""
LIVE_ROW: Final = """
    SELECT EXISTS (SELECT FROM moped_project_files WHERE file_key IN (%s, %s) AND NOT is_deleted)
"""


class Person(NamedTuple):
    """Who a live row is, and whether the project that was asked about is live too."""

    account: UUID | None
    email: str
    project_is_live: bool


def person(user_id: int, project_id: int | None = None) -> Person | None:
    """Return the person of this id, unless there is none or they were deactivated."""
    row = _first(PERSON, project_id, user_id)
    return Person(*row) if row else None


def has_live_row(key: str) -> bool:
    """Tell whether a file that was not deleted has this key, stored with a leading slash or without."""
    return _first(LIVE_ROW, key, f"/{key}") == (True,)


def _first(statement: str, *values: str | int | None) -> tuple[Any, ...] | None:
    # What Django does before every statement; its own cursor writes the values into the text,
    # which then differs each time and cannot be prepared.
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with connection.wrap_database_errors:
        return _cursor(connection.connection).execute(statement, values, prepare=True).fetchone()


@lru_cache(REMEMBERED_CURSORS)
def _cursor(of: Connection) -> Cursor:
    """Return the connection's one cursor: to make one takes half as long as to ask."""
    from psycopg import Cursor  # noqa: PLC0415 (a fifth of a cold start: only who asks imports it)

    return Cursor(of)
