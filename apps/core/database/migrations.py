"""
Migrations of a database that Hasura shares (ADR 0007).

Hasura's tables live in `public`, ours in a schema of our own. Both are on the search path, and a new
table lands in the first of them that exists.
"""

from collections.abc import Sequence

from django.conf import settings
from django.contrib.postgres.operations import CITextExtension
from django.db import migrations
from django.db.migrations.operations.base import Operation

UNLIMITED, LIMITED = ["SET statement_timeout = 0"], ["RESET statement_timeout"]
DROP_IF_INVALID = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('public.{name}') AND NOT indisvalid)
    THEN DROP INDEX public.{name};
    END IF;
END $$
"""


def in_public(*operations: Operation) -> Sequence[Operation]:
    """Return the operations of a migration, made to create their tables where Hasura finds them."""
    return [
        migrations.RunSQL("SET LOCAL search_path = public", migrations.RunSQL.noop),
        CITextExtension(),
        *operations,
        migrations.RunSQL(f"SET LOCAL search_path = {settings.OWN_SCHEMA}, public", migrations.RunSQL.noop),
    ]


def index_concurrently(name: str, definition: str) -> migrations.RunSQL:
    """
    Return an operation that makes an index on a shared table without locking out its writers.

    For a migration with `atomic = False`: PostgreSQL makes no index concurrently in a transaction. An
    interrupted attempt leaves an index that PostgreSQL never uses. It is made again. One that works stays,
    since dropping it waits for every transaction that has read the table.
    It may take longer than any request may, except behind a pooler, where a session has no state.
    """
    before, after = ([], []) if settings.DATABASE_POOLER else (UNLIMITED, LIMITED)
    create = f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON public.{definition}"
    return migrations.RunSQL(
        [*before, DROP_IF_INVALID.format(name=name), create, *after],
        f"DROP INDEX CONCURRENTLY IF EXISTS public.{name}",
    )
