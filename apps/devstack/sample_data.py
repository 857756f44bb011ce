"""Creates sample data for the editor's requests: projects with files, and people of several workgroups."""

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
    "Barton Springs Road Bridge": {
        "Bridge plan.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 3h9v1H0z"/></svg>\n',
        "Site notes.txt": b"The eastern abutment is dry.\n",
    },
    "Zilker Elementary Safe Routes": {"Crossing count.csv": b"hour,people\n7,41\n8,63\n"},
}
PROJECT_KEY = re.compile("(?:private|public)/project/(?P<project>[0-9]+)/(?P<user>[0-9]+)_.+")
# Users without an account.
PEOPLE = (
    ("Paula", "Planner", "Arterial Management"),
    ("Victor", "Vision", "Vision Zero"),
    ("Sofia", "Signs", "Signs & Markings"),
    ("Umar", "Urban", "Urban Trails"),
)


def ensure() -> None:
    """Create the sample data, unless the database has projects."""
    if Project.objects.exists():
        return
    with transaction.atomic():
        for first_name, last_name, workgroup in PEOPLE:
            MopedUser.objects.create(
                first_name=first_name,
                last_name=last_name,
                title="Sample",
                email=f"{first_name}.{last_name}@austintexas.gov".lower(),
                workgroup=MopedWorkgroup.objects.filter(workgroup_name=workgroup).first(),
                roles=[NO_LOGIN],
                is_coa_staff=True,
            )
        for project_name, files in PROJECTS.items():
            project = Project.objects.create(project_name=project_name)
            for file_name, content in files.items():
                _create_file(project, file_name, content)


def _create_file(project: Project, file_name: str, content: bytes) -> None:
    editor = Person.objects.get(email=BY_KEY["editor"].email)
    name, user_id = file_name.replace(" ", "_"), str(editor.user_id)
    key = keys.new_key(kind="private", project_id=project.project_id, user_id=user_id, name=name)
    key = f"{settings.UPLOADS_PREFIX}{key}"
    with translate_errors():
        clients.s3().put_object(Bucket=settings.UPLOADS_BUCKET, Key=key, Body=content)
    record_file(key, user_id)


def record_file(key: str, user_id: str) -> None:
    """
    Create the row of a project's file, as the editor does through Hasura.

    :raises UnknownFileError: if the key is not one of a file that this user uploaded
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
