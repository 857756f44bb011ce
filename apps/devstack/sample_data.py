"""Two projects with files, and people of several workgroups: what the editor's requests need at once."""

from __future__ import annotations

import re

from django.conf import settings
from django.db import transaction

from apps.claims.hasura import NO_LOGIN
from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.devstack.personas import BY_KEY
from apps.files import keys
from apps.files.errors import UnknownFileError
from apps.files.models import FileType, Person, Project, ProjectFile
from apps.users.models import MopedUser, MopedWorkgroup

PROJECTS = {
    "Barton Springs Road Bridge": ("Bridge plan.svg", "Site notes.txt"),
    "Zilker Elementary Safe Routes": ("Crossing count.csv",),
}
CONTENT = {
    "Bridge plan.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 3h9v1H0z"/></svg>\n',
    "Site notes.txt": b"The eastern abutment is dry.\n",
    "Crossing count.csv": b"hour,people\n7,41\n8,63\n",
}
PROJECT_KEY = re.compile("(?:private|public)/project/(?P<project>[0-9]+)/(?P<user>[0-9]+)_.+")
# Known to Moped, without a sign-in.
PEOPLE = (
    ("Paula", "Planner", "Arterial Management"),
    ("Victor", "Vision", "Vision Zero"),
    ("Sofia", "Signs", "Signs & Markings"),
    ("Umar", "Urban", "Urban Trails"),
)


def ensure() -> None:
    """Make the sample data of a database without projects."""
    if Project.objects.exists():
        return
    with transaction.atomic():
        for first_name, last_name, workgroup in PEOPLE:
            _create_person(first_name, last_name, workgroup)
        for project_name, file_names in PROJECTS.items():
            project = Project.objects.create(project_name=project_name)
            for file_name in file_names:
                _create_file(project, file_name)


def _create_person(first_name: str, last_name: str, workgroup: str) -> None:
    MopedUser.objects.create(
        first_name=first_name,
        last_name=last_name,
        title="Sample",
        email=f"{first_name}.{last_name}@austintexas.gov".lower(),
        workgroup=MopedWorkgroup.objects.filter(workgroup_name=workgroup).first(),
        roles=[NO_LOGIN],
        is_coa_staff=True,
    )


def _create_file(project: Project, file_name: str) -> None:
    editor = Person.objects.get(email=BY_KEY["editor"].email)
    key = keys.for_project("private", project.project_id, editor.user_id, file_name.replace(" ", "_"))
    key = f"{settings.UPLOADS_PREFIX}{key}"
    with translate_errors():
        clients.s3().put_object(Bucket=settings.UPLOADS_BUCKET, Key=key, Body=CONTENT[file_name])
    record_file(key, str(editor.user_id))


def record_file(key: str, user_id: str) -> None:
    """
    Make the row of a project's file, as the editor does through Hasura.

    :raises UnknownFileError: if the user uploaded no such file
    """
    project_key = PROJECT_KEY.fullmatch(key.removeprefix(settings.UPLOADS_PREFIX))
    if project_key is None or project_key["user"] != user_id:
        raise UnknownFileError
    with translate_errors():
        uploaded = clients.s3().head_object(Bucket=settings.UPLOADS_BUCKET, Key=key)
    ProjectFile.objects.create(
        project_id=int(project_key["project"]),
        file_key=key,
        file_name=keys.display_name(key),
        file_size=uploaded["ContentLength"],
        file_type=FileType.objects.order_by("id").first(),
        created_by_user_id=int(user_id),
    )
