"""The database queries of a signature."""

from django.db.models import QuerySet

from apps.files.models import Person, Project, ProjectFile


def find_person(user_id: int) -> Person | None:
    """Return the active person with this id, if there is one."""
    return Person.objects.filter(pk=user_id, is_deleted=False).first()


def is_active_project(project_id: int) -> bool:
    """Return whether the project exists and was not deleted."""
    return Project.objects.filter(pk=project_id, is_deleted=False).exists()


def live_rows(key: str) -> QuerySet[ProjectFile]:
    """Return the rows of a key that were not deleted. A row may store the key with a leading slash."""
    return ProjectFile.objects.filter(file_key__in=(key, f"/{key}"), is_deleted=False)
