"""What the database lets a preview do: look, and nothing else, whatever its code tries."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import ProgrammingError, connection, transaction

from apps.deployment.paths import PROJECT

SCRIPT = PROJECT / "infrastructure" / "preview-database.sql"
OURS = ("users", "files")


def tables() -> list[str]:
    return [model._meta.db_table for label in OURS for model in apps.get_app_config(label).get_models()]


@pytest.fixture
def as_preview(db: None) -> Iterator[None]:
    """Be the previews' user, until the test's transaction is rolled back."""
    with connection.cursor() as cursor:
        cursor.execute(SCRIPT.read_text(encoding="utf-8"))
        cursor.execute(SCRIPT.read_text(encoding="utf-8"))  # again changes nothing
        cursor.execute("SET LOCAL ROLE moped_preview")
        yield
        cursor.execute("RESET ROLE")


@pytest.mark.usefixtures("as_preview")
class TestPreviewsUser:
    @pytest.mark.parametrize("table", tables())
    def test_reads_every_table_that_the_api_reads_and_writes_none(self, table: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT count(*) FROM "{table}"')  # noqa: S608 (a table of ours)
        for statement in (
            f'INSERT INTO "{table}" DEFAULT VALUES',
            f'DELETE FROM "{table}"',  # noqa: S608 (same)
            f'ALTER TABLE "{table}" ADD COLUMN sneaked int',
            f'DROP TABLE "{table}"',
            f'TRUNCATE "{table}"',
        ):
            self.is_denied(statement)

    @pytest.mark.parametrize(
        "statement",
        [
            "CREATE SCHEMA pr_12",
            "CREATE TABLE public.sneaked (id int)",
            "CREATE TABLE moped_api.sneaked (id int)",
            "INSERT INTO moped_api.django_migrations DEFAULT VALUES",
        ],
    )
    def test_makes_nothing(self, statement: str) -> None:
        self.is_denied(statement)

    def is_denied(self, statement: str) -> None:
        with (
            pytest.raises(ProgrammingError, match=r"permission denied|must be owner"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
