"""Columns and expressions of PostgreSQL that Django does not have."""

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class CIEmailField(models.EmailField):  # type: ignore[type-arg] # generic in the stubs only
    """
    An email address in a `citext` column. Equality, uniqueness and order ignore case.

    `contains`, `startswith` and `regex` do not ignore case. Use their `i…` forms.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """Return the column's type."""
        return "citext"

    def cast_db_type(self, connection: BaseDatabaseWrapper) -> str:
        """Return the type of a cast value."""
        return "citext"


class ClockTimestamp(models.Func):
    """The time now by the database's clock. PostgreSQL's `now()` is the start of the transaction."""

    function = "clock_timestamp"
    output_field = models.DateTimeField()
