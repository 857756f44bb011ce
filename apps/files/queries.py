"""What signatures ask the database, one statement each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from apps.core.statements import Statement

if TYPE_CHECKING:
    from apps.core.statements import Row

TRUE: Final = "t"

PERSON: Final = Statement(
    "moped_person",
    """
    SELECT cognito_user_id, email, EXISTS (
        SELECT FROM moped_project WHERE project_id = $2::bigint AND NOT is_deleted
    )
    FROM moped_users WHERE user_id = $1::bigint AND NOT is_deleted
    """,
)
LIVE_ROW: Final = Statement(
    "moped_live_row",
    "SELECT EXISTS (SELECT FROM moped_project_files WHERE file_key IN ($1, $2) AND NOT is_deleted)",
)


class Person(NamedTuple):
    """Who a live row is, and whether the project that was asked about is live too."""

    account: str | None
    email: str
    project_is_live: bool


def as_person(row: Row | None) -> Person | None:
    """Return the person that `PERSON` found, unless there is none or they were deactivated."""
    if row is None:
        return None
    account, email, project_is_live = row
    return Person(account, email or "", project_is_live == TRUE)


def has_live_row(key: str) -> bool:
    """Tell whether a file that was not deleted has this key, stored with a leading slash or without."""
    return LIVE_ROW.answer(key, f"/{key}") == (TRUE,)
