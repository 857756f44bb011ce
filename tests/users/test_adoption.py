"""Our migrations adopt the database that Hasura's migrations made, and change no row."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from apps.users.models import MopedUser, MopedWorkgroup
from tests.support.processes import run_python

HASURA = Path(__file__).with_name("hasura.sql")
# The only things that we add to what is shared, and only where they are absent.
OUR_INDEXES = {"moped_users_listing_idx", "moped_project_files_key_idx"}
TABLES = ("moped_users", "moped_workgroup", "moped_user_events", "moped_project_files")

CATALOGUE = {
    "columns": """
        SELECT table_name, column_name, data_type, udt_name, is_nullable, column_default
        FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2""",
    "indexes": """
        SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1""",
    "triggers": """
        SELECT tgname FROM pg_trigger
        WHERE NOT tgisinternal AND tgrelid = 'public.moped_user_events'::regclass""",
    "relations": """
        SELECT relname, relkind FROM pg_class
        WHERE relnamespace = 'public'::regnamespace ORDER BY 1""",
    "functions": "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1",
    **{table: f"SELECT * FROM {table} ORDER BY 1" for table in TABLES},  # noqa: S608 (the names above)
}


@pytest.fixture
def city_database(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, Any]]:
    """Connection parameters of a filled database that Hasura made and that is not migrated yet."""
    name = f"city_{uuid4().hex[:8]}"
    own: dict[str, Any] = dict(settings.DATABASES["default"])
    server = {key: own[parameter] for key, parameter in SERVER.items() if own.get(parameter)}
    with psycopg.connect(**server, dbname="postgres", autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        with psycopg.connect(**server, dbname=name, autocommit=True) as city:
            city.execute(HASURA.read_text(encoding="utf-8"))
        yield {**server, "dbname": name}
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


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
SERVER = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}


def migrate(database: dict[str, Any], *arguments: str) -> str:
    host, user = database["host"].replace("/", "%2F"), database.get("user", "")
    port = f":{database['port']}" if database.get("port") else ""
    url = f"postgresql://{user}@{host}{port}/{database['dbname']}"
    environment = {**os.environ, "DATABASE_URL": url}
    finished = run_python("manage.py", "migrate", *arguments, environment=environment)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def catalogue(database: dict[str, Any]) -> dict[str, list[Any]]:
    with psycopg.connect(**database) as city:
        return {
            name: [row for row in city.execute(query).fetchall() if row[0] not in OUR_INDEXES]
            for name, query in CATALOGUE.items()
        }


def names(database: dict[str, Any], schema: str) -> set[str]:
    with psycopg.connect(**database) as city:
        rows = city.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = %s", [schema]
        )
        return {name for (name,) in rows}


class TestAdoption:
    def test_leaves_rows_and_public_as_they_are(self, city_database: dict[str, Any]) -> None:
        before = catalogue(city_database)

        output = migrate(city_database, "--fake-initial")

        assert catalogue(city_database) == before
        assert "users.0001_initial... FAKED" in output
        assert {"django_migrations", "users_event", "users_pending_change"} <= names(
            city_database, "moped_api"
        )
        assert not {name for name in names(city_database, "public") if not name.startswith("moped_")}

        with psycopg.connect(**city_database) as city:
            assert city.execute(INDEX).fetchall() == [("hash", True)]

        assert "No migrations to apply" in migrate(city_database, "--fake-initial")
        assert catalogue(city_database) == before


@pytest.mark.django_db
class TestAnEmptyDatabase:
    @pytest.mark.parametrize("query", [COLUMNS, CONSTRAINTS], ids=["columns", "constraints"])
    def test_gets_what_hasura_has(self, city_database: dict[str, Any], query: str) -> None:
        with psycopg.connect(**city_database) as city, connection.cursor() as own_cursor:
            own_cursor.execute(query)

            assert own_cursor.fetchall() == city.execute(query).fetchall()

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
