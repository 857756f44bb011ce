"""Rows that files hang on: people, a project, a file type."""

from typing import Any

import pytest
from django.db import connection

from apps.auth.callers import CognitoUser
from apps.auth.tokens import verifier
from apps.files.models import FileType, Person, Project, ProjectFile
from tests.support.token_factory import USER_ID, Signer, hasura_claim

OWN_ID = 77

INSERT_PERSON = """
    INSERT INTO moped_users (user_id, first_name, last_name, title, email, cognito_user_id, is_deleted)
    VALUES (%s, 'Jane', 'Doe', 'Planner', %s, %s, %s)
"""


def make_person(
    user_id: int = OWN_ID,
    email: str = "jane.doe@austintexas.gov",
    account: str | None = USER_ID,
    *,
    is_deleted: bool = False,
) -> Person:
    with connection.cursor() as cursor:
        cursor.execute(INSERT_PERSON, [user_id, email, account, is_deleted])
    return Person.objects.get(pk=user_id)


def make_file(key: str, project: Project, person: Person, **columns: Any) -> ProjectFile:
    plans, _ = FileType.objects.get_or_create(id=2, defaults={"name": "Plans", "slug": "plans"})
    values = {"file_name": "A plan", "file_size": 1, "file_type": plans, "created_by_user": person}
    return ProjectFile.objects.create(file_key=key, project=project, **values | columns)


@pytest.fixture
def person(db: None) -> Person:
    """The caller's own row."""
    return make_person()


@pytest.fixture
def project(db: None) -> Project:
    """A live project."""
    return Project.objects.create(project_name="Barton Springs Road")


@pytest.fixture
def caller(signer: Signer) -> CognitoUser:
    """The editor whose row `person` is."""
    claims = {"https://hasura.io/jwt/claims": hasura_claim("moped-editor", database_id=str(OWN_ID))}
    return verifier.verify(signer.token(**claims))
