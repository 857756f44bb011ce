"""
What of a database is ours.

Hasura's tables live in `public`, ours in a schema of our own; both are on the search path, and a
table that is made lands in the first of them that exists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connections, models

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper


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


def make_own_schema(using: str = "default", **_signal: Any) -> None:
    """Make our schema before the first migration, so that `django_migrations` lands in it too."""
    with connections[using].cursor() as cursor:
        # Asked first: an operator who may not create schemas need not, once there is one.
        cursor.execute("SELECT to_regnamespace(%s)", [settings.OWN_SCHEMA])
        if cursor.fetchone() == (None,):
            cursor.execute(f'CREATE SCHEMA "{settings.OWN_SCHEMA}"')
