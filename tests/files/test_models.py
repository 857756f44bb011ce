"""The shared tables, as the City's own migrations shape them."""

from secrets import token_hex

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from apps.files import selectors
from apps.files.models import FileType, Person, Project, ProjectFile
from tests.files.conftest import make_file

INSERT_AS_HASURA_DOES = """
    INSERT INTO public.moped_project_files
        (project_id, file_name, file_type, file_size, file_key, created_by_user_id)
    VALUES (%s, 'Plan', 2, 10, 'private/project/1/x', %s) RETURNING *
"""


@pytest.mark.django_db
class TestTables:
    def test_match_their_models(self) -> None:
        call_command("makemigrations", "files", "--check", "--dry-run", verbosity=0)

    def test_are_seeded_with_the_purposes_of_files(self) -> None:
        slugs = ["funding", "plans", "estimates", "other", "work_order_link"]
        assert list(FileType.objects.order_by("id").values_list("id", "slug")) == [*enumerate(slugs, 1)]
        assert FileType.objects.create(name="Photos", slug="photos").pk == 6


class TestProjectFile:
    def test_takes_the_insert_that_hasura_makes(self, project: Project, person: Person) -> None:
        with connection.cursor() as cursor:  # in the schema that Hasura names, "public"
            cursor.execute(INSERT_AS_HASURA_DOES, [project.pk, person.pk])
        row = ProjectFile.objects.get(file_key="private/project/1/x")
        assert (row.is_deleted, row.is_scanned) == (False, False)
        assert row.created_at is not None
        assert row.updated_at is not None

    def test_goes_with_its_project(self, project: Project, person: Person) -> None:
        make_file("private/project/1/x", project, person)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM moped_project WHERE project_id = %s", [project.pk])
        assert not ProjectFile.objects.exists()

    def test_needs_a_key_or_a_url(self, project: Project, person: Person) -> None:
        with pytest.raises(IntegrityError, match="file_location_not_null"):
            make_file(None, project, person)  # type: ignore[arg-type]

    def test_defaults_to_a_type_that_does_not_exist(self, project: Project, person: Person) -> None:
        with pytest.raises(IntegrityError, match="moped_project_files_type_fkey"), transaction.atomic():
            make_file("private/project/1/x", project, person, file_type_id=0)

    def test_takes_a_key_longer_than_any_index_row(self, project: Project, person: Person) -> None:
        assert make_file("private/project/1/" + token_hex(5000), project, person).pk


@pytest.mark.django_db
class TestLookUp:
    def test_can_be_a_seek(self) -> None:
        with connection.cursor() as cursor:  # the planner reads a small table in full
            cursor.execute("SET LOCAL enable_seqscan = off")

        assert "moped_project_files_key_idx" in selectors.live_rows("private/project/1/7").explain()
