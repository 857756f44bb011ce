"""Our migrations adopt the database that Hasura's migrations made, and change no row."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import connection

from apps.devstack.postgresql import binary
from apps.users.models import MopedUser, MopedWorkgroup
from tests.support.processes import run_python

HASURA = Path(__file__).with_name("hasura.sql")
# The only things that we add to what is shared, and only where they are absent.
IGNORED = ("CREATE INDEX moped_users_listing_idx ", "CREATE INDEX moped_project_files_key_idx ", "--", "\n")
OUR_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'moped_api'"
COLUMNS = """
    SELECT table_name, column_name, udt_name, is_nullable FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name IN ('moped_users', 'moped_workgroup') ORDER BY 1, 2"""
CONSTRAINTS = """
    SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = 'public.moped_users'::regclass AND contype IN ('u', 'p') ORDER BY 1"""
INDEX = """
    SELECT amname, indisvalid FROM pg_index
    JOIN pg_class c ON c.oid = indexrelid JOIN pg_am am ON am.oid = c.relam
    WHERE c.relname = 'moped_project_files_key_idx'"""
SERVER = os.environ["DATABASE_URL"].rpartition("/")[0]


@pytest.fixture
def city_database(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """The URL of a filled database that Hasura made and that is not migrated yet."""
    name = f"city_{uuid4().hex[:8]}"
    with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        with psycopg.connect(f"{SERVER}/{name}") as city:
            city.execute(HASURA.read_text(encoding="utf-8"))
        yield f"{SERVER}/{name}"
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def migrate(url: str) -> str:
    environment = os.environ | {"DATABASE_URL": url}
    finished = run_python("manage.py", "migrate", "--fake-initial", environment=environment)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def dump(url: str) -> list[str]:
    """Return definitions and rows of the shared schema, without our indexes and without comments."""
    command: list[str | Path] = [binary("pg_dump"), "--schema=public", "--restrict-key=x", f"--dbname={url}"]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [line for line in text.splitlines(keepends=True) if not line.startswith(IGNORED)]


def rows(url: str, query: str) -> list[Any]:
    with psycopg.connect(url) as city:
        return city.execute(query).fetchall()


class TestAdoption:
    def test_leaves_rows_and_public_as_they_are(self, city_database: str) -> None:
        before = dump(city_database)

        assert "users.0001_initial... FAKED" in migrate(city_database)

        assert dump(city_database) == before
        assert rows(city_database, INDEX) == [("hash", True)]
        assert {("django_migrations",), ("users_event",), ("users_pending_change",)} <= set(
            rows(city_database, OUR_TABLES)
        )
        assert "No migrations to apply" in migrate(city_database)
        assert dump(city_database) == before


@pytest.mark.django_db
class TestAnEmptyDatabase:
    @pytest.mark.parametrize("query", [COLUMNS, CONSTRAINTS], ids=["columns", "constraints"])
    def test_gets_what_hasura_has(self, city_database: str, query: str) -> None:
        with connection.cursor() as own_cursor:
            own_cursor.execute(query)

            assert own_cursor.fetchall() == rows(city_database, query)

    def test_gets_the_citys_workgroups(self) -> None:
        inactive = MopedWorkgroup.objects.filter(is_deleted=True).values_list("workgroup_id", flat=True)
        assert (MopedWorkgroup.objects.count(), set(inactive)) == (30, {19, 22})

    def test_gives_hasura_the_defaults_it_relies_on(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO moped_users (first_name, last_name, title, email)"
                " VALUES ('a', 'b', 'c', 'd@e.fg')"
            )

        user = MopedUser.objects.get(email="D@E.FG")
        assert (user.is_deleted, user.is_coa_staff, user.is_user_group_member) == (False, False, False)
        assert user.date_added
