"""
Who may put or fetch which file.

Both answers are signatures: the file itself passes between browser and bucket. Each leaves one
line in the log; nothing else of it is ever recorded, since S3 does not say whose signature it was.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.conf import settings

from apps.core.context import current
from apps.files import gateways, ids, keys, media, names
from apps.files.errors import NotAMopedUserError, UnknownFileError, UnknownProjectError
from apps.files.models import Person, Project, ProjectFile

if TYPE_CHECKING:
    from apps.auth.users import CognitoUser

logger = logging.getLogger(__name__)


def sign_upload(
    *, file_name: str, kind: str, project_id: int | None, actor: CognitoUser
) -> gateways.PresignedPost:
    """
    Sign the upload of one file, to a project or to the caller's own folder.

    :raises UnusableFileNameError: if no key can be made of the name
    :raises NotAMopedUserError: if the caller is no live Moped user
    :raises UnknownProjectError: if the project does not exist or was deleted
    :raises UnavailableError: if AWS gives us no credentials to sign with
    """
    name = names.clean(file_name)
    user_id = _own_user_id(actor)
    if user_id is None:
        raise NotAMopedUserError
    if project_id is None:
        key = keys.for_user(kind, user_id, name)
    elif Project.live.filter(pk=project_id).exists():
        key = keys.for_project(kind, project_id, user_id, name)
    else:
        raise UnknownProjectError
    upload = gateways.presign_upload(key=key, media_type=media.type_of(name))
    _record("file_upload_signed", key, actor)
    return upload


def sign_download(*, key: str, actor: CognitoUser) -> str:
    """
    Sign the download of one file of a project, or of the caller's own folder.

    :raises UnknownFileError: if there is none, or it was deleted, or it is another person's
    :raises UnavailableError: if AWS gives us no credentials to sign with
    """
    found = keys.canonical(key)
    if not (found and _may_read(found, actor)):
        raise UnknownFileError
    name = keys.display_name(found)
    url = gateways.presign_download(key=found, presentation=media.presentation(name))
    _record("file_download_signed", found, actor)
    return url


def _own_user_id(actor: CognitoUser) -> int | None:
    """
    Return the caller's id in the Moped database, if the row says so too.

    The claims item is found by address and may be older than the row: the row must be live and
    carry the caller's account or address.
    """
    user_id = ids.parse(actor.claims.database_id)
    if user_id is None:
        return None
    person = Person.live.filter(pk=user_id).values_list("cognito_user_id", "email").first()
    if person is None:
        return None
    account, address = person
    is_own = str(account) == actor.claims.user_id.lower() or address.lower() == actor.email.lower()
    return user_id if is_own else None


def _may_read(key: str, actor: CognitoUser) -> bool:
    """
    Tell whether the caller may read the object.

    Editors can write any key into a row through Hasura, so a row proves nothing about an object
    outside of the projects' folders; a person's own folder needs no row.
    """
    if keys.is_in(key, (*keys.PROJECT_FOLDERS, *settings.FILES_OLDER_FOLDERS)):
        return ProjectFile.live.filter(file_key__in=(key, f"/{key}")).exists()
    user_id = _own_user_id(actor)
    return user_id is not None and keys.is_in(key, keys.folders_of_user(user_id))


def _record(event: str, key: str, actor: CognitoUser) -> None:
    logger.info(
        event,
        extra={
            "key": key,
            "sub": actor.sub,
            "database_id": actor.claims.database_id,
            "client": current().client_address,
        },
    )
