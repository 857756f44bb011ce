"""The database queries of a signature, one for each function."""

from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection

PERSON: Final = """
    SELECT cognito_user_id, email::text, EXISTS (
        SELECT FROM moped_project WHERE project_id = %s::bigint AND NOT is_deleted
    )
    FROM moped_users WHERE user_id = %s::bigint AND NOT is_deleted
"""
LIVE_ROW: Final = """
    SELECT EXISTS (
        SELECT FROM moped_project_files WHERE file_key IN (%s::text, %s::text) AND NOT is_deleted
    )
"""


class Person(NamedTuple):
    """An active person, and whether the project in question is active too."""

    account: UUID | None
    email: str
    project_is_live: bool


def find_person(user_id: int, project_id: int | None) -> Person | None:
    """Return the active person with this id, if there is one."""
    row = _first_row(PERSON, [project_id, user_id])
    return None if row is None else Person(*row)


def has_live_row(key: str) -> bool:
    """Return whether a file that was not deleted has this key, stored with a leading slash or without."""
    return _first_row(LIVE_ROW, [key, f"/{key}"]) == (True,)


def _first_row(query: str, parameters: list[Any]) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row
