"""
Migrations of the database that we share with Hasura (ADR 0007).

Hasura's tables are in the schema `public`, ours in `moped_api`. Both are on the search path. PostgreSQL
creates a new table in the first of them that exists.
"""

from collections.abc import Sequence

from django.conf import settings
from django.contrib.postgres.operations import CITextExtension
from django.db import migrations
from django.db.migrations.operations.base import Operation

LIFT_TIMEOUT, RESET_TIMEOUT = ["SET statement_timeout = 0"], ["RESET statement_timeout"]
DROP_IF_INVALID = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('public.{name}') AND NOT indisvalid)
    THEN DROP INDEX public.{name};
    END IF;
END $$
"""


def in_public(*operations: Operation) -> Sequence[Operation]:
    """Return the operations between two SQL statements, so that they create their tables in `public`."""
    return [
        migrations.RunSQL("SET LOCAL search_path = public", migrations.RunSQL.noop),
        CITextExtension(),
        *operations,
        migrations.RunSQL(f"SET LOCAL search_path = {settings.OWN_SCHEMA}, public", migrations.RunSQL.noop),
    ]


def index_concurrently(name: str, definition: str) -> migrations.RunSQL:
    """
    Return an operation that creates an index on a shared table without blocking writes to it.

    The migration needs `atomic = False`: PostgreSQL cannot create an index concurrently in a transaction.
    An interrupted attempt leaves an index that PostgreSQL never uses. It is created again. An index that
    works stays, because to drop it waits for every transaction that has read the table. The statement
    time-out is lifted, except behind a pooler, where a session keeps no settings.
    """
    before, after = ([], []) if settings.DATABASE_POOLER else (LIFT_TIMEOUT, RESET_TIMEOUT)
    create = f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON public.{definition}"
    return migrations.RunSQL(
        [*before, DROP_IF_INVALID.format(name=name), create, *after],
        f"DROP INDEX CONCURRENTLY IF EXISTS public.{name}",
    )
