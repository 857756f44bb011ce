"""The older folders of the bucket, as the cut-over page has the operator count and open them."""

import re

import pytest
from django.conf import settings as django_settings
from django.db import connection
from pytest_django.fixtures import Settings

from apps.auth.callers import CognitoUser
from apps.files import services
from apps.files.errors import UnknownFileError
from apps.files.models import Person, Project, ProjectFile
from moped_api.environment import Environment
from tests.files.conftest import make_file

PAGE = (django_settings.BASE_DIR / "docs/operations.md").read_text()
OLDER = ("archive/2019/a.pdf", "/archive/2019/b.pdf", "scans/c.pdf")
CURRENT = ("private/project/1/d.pdf", "/public/project/1/e.pdf")


def count_by_folder() -> dict[str, int]:
    """Run the statement that the page prints."""
    (statement,) = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return dict(cursor.fetchall())


@pytest.fixture
def _files(person: Person, project: Project) -> None:
    for key in (*OLDER, *CURRENT, "root.pdf", "private/user/78/f.pdf"):
        make_file(key, project, person)
    make_file("archive/2019/deleted.pdf", project, person, is_deleted=True)
    link = make_file("link", project, person, file_url="https://example.org")
    ProjectFile.objects.filter(pk=link.pk).update(file_key=None)


@pytest.mark.usefixtures("_files")
class TestCutOverPage:
    def test_counts_the_rows_that_no_longer_open(self) -> None:
        assert count_by_folder() == {"archive/2019/": 2, "scans/": 1, "": 1, "private/user/": 1}

    def test_opens_a_folder_that_it_counted(self, caller: CognitoUser, settings: Settings) -> None:
        assert "MOPED_API_FILES_OLDER_PREFIXES" in PAGE
        with pytest.raises(UnknownFileError):
            services.sign_download(key=OLDER[0], actor=caller)
        settings.FILES_OLDER_FOLDERS = Environment({"OLDER": "archive/2019/,scans/"}).folders("OLDER")
        for key in OLDER:
            assert services.sign_download(key=key, actor=caller)
