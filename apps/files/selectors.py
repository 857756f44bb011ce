"""The database queries of a signature."""

from django.db.models import Exists, QuerySet

from apps.files.models import Person, Project, ProjectFile


def find_person(user_id: int, project_id: int | None) -> tuple[Person, bool] | None:
    """Return the active person with this id, and whether the project is active too."""
    projects = Project.objects.filter(pk=project_id or 0, is_deleted=False)
    people = Person.objects.filter(pk=user_id, is_deleted=False).annotate(has_project=Exists(projects))
    person = people.first()
    return None if person is None else (person, person.has_project)


def live_rows(key: str) -> QuerySet[ProjectFile]:
    """Return the rows of a key, stored with a leading slash or without, that were not deleted."""
    return ProjectFile.objects.filter(file_key__in=(key, f"/{key}"), is_deleted=False)
