"""`migrate --fake-initial` on a database that has the City's tables, shaped and filled by the City."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# As the City's own migrations leave them, with a file type and a key that ours would not have made.
THE_CITYS = """
    CREATE EXTENSION citext;
    CREATE TABLE moped_workgroup (
        workgroup_id serial PRIMARY KEY, workgroup_name text NOT NULL, workgroup_abbreviation text,
        department_id int, date_added timestamptz DEFAULT clock_timestamp(),
        is_deleted boolean NOT NULL DEFAULT false);
    CREATE TABLE moped_users (
        user_id serial PRIMARY KEY, first_name text NOT NULL, last_name text NOT NULL, title text NOT NULL,
        email citext NOT NULL UNIQUE, workgroup_id int REFERENCES moped_workgroup,
        cognito_user_id uuid UNIQUE,
        roles jsonb, is_coa_staff boolean NOT NULL DEFAULT false, is_deleted boolean NOT NULL DEFAULT false,
        is_user_group_member boolean NOT NULL DEFAULT false, note text, picture text,
        date_added timestamptz DEFAULT clock_timestamp(), last_seen_date timestamptz);
    CREATE TABLE moped_project (
        project_id serial PRIMARY KEY, project_name text NOT NULL, updated_at timestamptz,
        is_deleted boolean NOT NULL DEFAULT false);
    CREATE TABLE moped_file_types (
        id serial PRIMARY KEY, name text NOT NULL UNIQUE, slug text NOT NULL UNIQUE);
    CREATE TABLE moped_project_files (
        project_file_id serial PRIMARY KEY,
        project_id int NOT NULL REFERENCES moped_project ON DELETE CASCADE,
        file_key text, file_url text, file_name text NOT NULL, file_description text, file_size int NOT NULL,
        file_type int NOT NULL DEFAULT 0 REFERENCES moped_file_types, file_permissions jsonb,
        file_metadata jsonb, api_response jsonb, is_scanned boolean NOT NULL DEFAULT false,
        is_deleted boolean NOT NULL DEFAULT false, created_by_user_id int NOT NULL REFERENCES moped_users,
        updated_by_user_id int REFERENCES moped_users, created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz DEFAULT now(), CONSTRAINT file_location_not_null
            CHECK (file_key IS NOT NULL OR file_url IS NOT NULL));
    INSERT INTO moped_workgroup (workgroup_name) VALUES ('The City''s own');
    INSERT INTO moped_users (first_name, last_name, title, email) VALUES ('J', 'D', 'P', 'j@austintexas.gov');
    INSERT INTO moped_project (project_name) VALUES ('Barton Springs Road');
    INSERT INTO moped_file_types (name, slug) VALUES ('Photos', 'photos');
    INSERT INTO moped_project_files
        (project_id, file_key, file_name, file_size, file_type, created_by_user_id)
        SELECT 1, string_agg(md5(number::text), ''), 'a key longer than an index row', 1, 1, 1
        FROM generate_series(1, 400) AS number;
"""
INDEX = """
    SELECT am.amname, indisvalid FROM pg_index
    JOIN pg_class c ON c.oid = indexrelid JOIN pg_am am ON am.oid = c.relam
    WHERE c.relname = 'moped_project_files_key_idx'
"""


@pytest.fixture
def the_citys_database(django_db_setup: None) -> Iterator[str]:
    """The URL of a database of its own, beside the tests'."""
    server, name = os.environ["DATABASE_URL"], f"the_city_{uuid.uuid4().hex[:8]}"
    url = f"{server.rpartition('/')[0]}/{name}"
    with psycopg.connect(server, autocommit=True) as maintenance:
        maintenance.execute(f'CREATE DATABASE "{name}"')
        with psycopg.connect(url, autocommit=True) as city:
            city.execute(THE_CITYS)
        yield url
        maintenance.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def migrate(url: str) -> None:
    run = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--fake-initial", "--verbosity=0"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


class TestAdoption:
    def test_adds_the_index_and_touches_nothing_else(self, the_citys_database: str) -> None:
        migrate(the_citys_database)

        def ask(statement: str) -> list[Any]:
            with psycopg.connect(the_citys_database) as city:
                return city.execute(statement).fetchall()

        assert ask(INDEX) == [("hash", True)]
        assert ask("SELECT name FROM moped_file_types") == [("Photos",)]
        assert ask("SELECT count(*) FROM moped_project_files") == [(1,)]

    def test_may_be_done_again(self, the_citys_database: str) -> None:
        migrate(the_citys_database)
        migrate(the_citys_database)
