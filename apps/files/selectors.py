"""The database queries of a signature, one for each function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Exists

from apps.files.models import Person, Project, ProjectFile

if TYPE_CHECKING:
    from django.db.models import QuerySet


def find_person(user_id: int, project_id: int | None) -> Person | None:
    """Return the active person with this id, and whether the project is active too."""
    project = Project.objects.filter(pk=project_id or 0, is_deleted=False)
    people = Person.objects.filter(pk=user_id, is_deleted=False)
    return people.annotate(project_is_active=Exists(project)).first()  # type: ignore[no-redef]


def active_rows(key: str) -> QuerySet[ProjectFile]:
    """Return the rows that were not deleted and have this key, stored with a leading slash or without."""
    return ProjectFile.objects.filter(file_key__in=[key, f"/{key}"], is_deleted=False)
