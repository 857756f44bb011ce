"""Who may put or fetch which file: a real database, no fakes of ours."""

import logging
import re
from contextlib import nullcontext
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
import pytest
from django.conf import settings as django_settings
from django.test import override_settings
from pytest_django.fixtures import Settings

from apps.auth.callers import CognitoUser
from apps.files import adapters, keys, services
from apps.files.errors import NotAMopedUserError, UnknownFileError, UnknownProjectError
from apps.files.models import Person, Project
from tests.files.conftest import OWN_ID, make_file, make_person

UNIQUE = r"[0-9]{14}_[0-9a-f]{16}_plan\.pdf"
ANOTHERS_ACCOUNT = "22222222-2222-4222-8222-222222222222"


def upload(caller: CognitoUser, **changes: Any) -> adapters.PresignedPost:
    arguments = {"file_name": "Plan.pdf", "kind": "private", "project_id": None, **changes}
    return services.sign_upload(**arguments, actor=caller)


def claiming(caller: CognitoUser, **claims: str) -> CognitoUser:
    return msgspec.structs.replace(caller, claims=msgspec.structs.replace(caller.claims, **claims))


class TestSignUpload:
    @pytest.mark.parametrize("prefix", ["", "previews/12/"])
    @pytest.mark.parametrize(
        ("project_id", "folder"), [(None, f"user/{OWN_ID}/"), (1, f"project/1/{OWN_ID}_")]
    )
    def test_puts_a_file_into_the_folder_of_its_project_or_person(
        self,
        caller: CognitoUser,
        person: Person,
        settings: Settings,
        prefix: str,
        project_id: int | None,
        folder: str,
    ) -> None:
        settings.UPLOADS_PREFIX = prefix
        Project.objects.create(project_id=1, project_name="Congress Avenue")

        key = upload(caller, project_id=project_id, kind="public").key

        assert re.fullmatch(f"{prefix}public/{folder}{UNIQUE}", key)
        assert keys.display_name(key) == "plan.pdf"

    def test_never_stores_what_could_run_as_what_it_is(self, caller: CognitoUser, person: Person) -> None:
        assert upload(caller, file_name="a.svg").fields["Content-Type"] == "application/octet-stream"

    @pytest.mark.parametrize("project_id", [1, 2**31 - 1], ids=["deleted", "unknown"])
    def test_refuses_a_project_that_is_not_active(
        self, caller: CognitoUser, person: Person, project_id: int
    ) -> None:
        Project.objects.create(project_id=1, project_name="Congress Avenue", is_deleted=True)
        with pytest.raises(UnknownProjectError) as error:
            upload(caller, project_id=project_id)
        assert error.value.fields == {"project_id": ["There is no such project."]}

    @pytest.mark.parametrize(
        "database_id",
        ["0", "", "077", "77; --", "\u0667\u0667", "9" * 5000, str(2**31)],
        ids=ascii,
    )
    def test_refuses_a_caller_without_a_database_id(
        self, caller: CognitoUser, person: Person, database_id: str
    ) -> None:
        with pytest.raises(NotAMopedUserError):
            upload(claiming(caller, database_id=database_id))

    @pytest.mark.parametrize(
        ("row", "is_known"),
        [
            ({"user_id": OWN_ID + 1}, False),
            ({"is_deleted": True}, False),
            ({"email": "another.user@austintexas.gov", "account": ANOTHERS_ACCOUNT}, False),
            ({"email": "maiden.name@austintexas.gov"}, True),
            ({"email": "Jane.Doe@AustinTexas.gov", "account": None}, True),
        ],
        ids=["no row", "deactivated", "another's row", "by account", "by address"],
    )
    def test_needs_an_active_row_of_the_caller(
        self, caller: CognitoUser, db: None, row: dict[str, Any], *, is_known: bool
    ) -> None:
        make_person(**row)
        with nullcontext() if is_known else pytest.raises(NotAMopedUserError):
            upload(caller)

    def test_leaves_one_line(
        self, caller: CognitoUser, person: Person, project: Project, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.INFO, logger="apps.files.services"):
            key = upload(caller, project_id=project.pk).key
        (line,) = caplog.records
        assert line.getMessage() == "file_upload_signed"
        expected = {"key": key, "sub": caller.sub, "database_id": str(OWN_ID), "client": ""}
        assert vars(line).items() >= expected.items()


KEY = "private/project/1/80_04072022191747_40d4c982e064d0f9_plan.pdf"

PREVIEW = {"UPLOADS_PREFIX": "previews/12/", "FILES_OLDER_FOLDERS": ("private/user/",)}


def object_key(url: str) -> str:
    """Return the key that a presigned URL is for."""
    path = unquote(urlsplit(url).path)
    return path.removeprefix(f"/{django_settings.UPLOADS_BUCKET}/")


class TestSignDownload:
    @pytest.mark.parametrize("key", [KEY, "archive/2019/x.pdf"], ids=["current", "older folder"])
    def test_needs_an_active_row(
        self, caller: CognitoUser, person: Person, project: Project, settings: Settings, key: str
    ) -> None:
        settings.FILES_OLDER_FOLDERS = ("archive/2019/",)
        with pytest.raises(UnknownFileError):
            services.sign_download(key=key, actor=caller)
        make_file(key, project, person, is_deleted=True)
        with pytest.raises(UnknownFileError):
            services.sign_download(key=key, actor=caller)

        make_file(key, project, person)
        assert object_key(services.sign_download(key=key, actor=caller)) == key

    @pytest.mark.parametrize(
        ("key", "stage"),
        [
            ("private/user/78/x.png", {}),
            (f"private/user/{OWN_ID}/", {}),
            ("backups/database.sql", {}),
            ("private/projects/1/x.pdf", {}),
            ("private/project/1/../../user/78/x.png", {}),
            ("secret", {}),
            # another person's folder is no older folder
            ("private/user/78/x.png", {"FILES_OLDER_FOLDERS": ("private/",)}),
            ("private/user/78/x.png", {"FILES_OLDER_FOLDERS": ("private/user/",)}),
            ("private/user/78/x.png", {"FILES_OLDER_FOLDERS": ("private/user/78/",)}),
            # beside the prefix of the stage
            (KEY, PREVIEW),
            (f"previews/13/{KEY}", PREVIEW),
            (f"private/user/{OWN_ID}/me.png", PREVIEW),
            (f"previews/13/private/user/{OWN_ID}/me.png", PREVIEW),
        ],
    )
    def test_does_not_take_a_row_as_proof(
        self, caller: CognitoUser, person: Person, project: Project, key: str, stage: dict[str, Any]
    ) -> None:
        make_file(key, project, person)
        for requested_key in (key, f"/{key}"):
            with override_settings(**stage), pytest.raises(UnknownFileError):
                services.sign_download(key=requested_key, actor=caller)

    def test_serves_what_lies_below_the_prefix_of_the_stage(
        self, caller: CognitoUser, person: Person, project: Project, settings: Settings
    ) -> None:
        settings.UPLOADS_PREFIX = "previews/12/"
        make_file(f"previews/12/{KEY}", project, person)
        for path in (KEY, f"private/user/{OWN_ID}/me.png"):
            url = services.sign_download(key=f"previews/12/{path}", actor=caller)
            assert object_key(url) == f"previews/12/{path}"

    @pytest.mark.parametrize(
        ("claimed_id", "folder_id", "is_deleted"),
        [(OWN_ID, f"{OWN_ID}0", False), ("", "", False), ("0", "0", False), (OWN_ID, OWN_ID, True)],
        ids=["a longer id", "no id", "the unknown id", "a deactivated person"],
    )
    def test_opens_no_folder_that_is_not_the_callers(
        self, caller: CognitoUser, db: None, claimed_id: object, folder_id: object, *, is_deleted: bool
    ) -> None:
        make_person(is_deleted=is_deleted)
        with pytest.raises(UnknownFileError):
            services.sign_download(
                key=f"private/user/{folder_id}/me.png", actor=claiming(caller, database_id=str(claimed_id))
            )

    def test_leaves_one_line(
        self, caller: CognitoUser, person: Person, project: Project, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, logger="apps.files.services")
        with pytest.raises(UnknownFileError):
            services.sign_download(key=KEY, actor=caller)
        assert not caplog.records

        make_file(f"/{KEY}", project, person)
        services.sign_download(key=KEY, actor=caller)
        (line,) = caplog.records
        assert (line.getMessage(), vars(line)["key"]) == ("file_download_signed", KEY)
