"""
Sign uploads and downloads.

The file itself passes between browser and bucket. Each signature writes one log line, which is the
only record of the person, because S3 does not log who requested a signature.
"""

import logging

from django.conf import settings

from apps.auth.callers import CognitoUser
from apps.claims.identity import normalize
from apps.core.context import current
from apps.files import adapters, keys, names, selectors
from apps.files.errors import NotAMopedUserError, UnknownFileError, UnknownProjectError

logger = logging.getLogger(__name__)


def sign_upload(
    *, file_name: str, kind: str, project_id: int | None, actor: CognitoUser
) -> adapters.PresignedPost:
    """
    Sign the upload of one file, to a project or to the caller's own folder.

    :raises UnusableFileNameError: if the name cannot be part of a key
    :raises NotAMopedUserError: if the caller is not an active Moped user
    :raises UnknownProjectError: if the project does not exist or was deleted
    :raises UnavailableError: if there are no credentials to sign with
    """
    name = names.clean(file_name)
    if not _is_active(actor):
        raise NotAMopedUserError
    if project_id is not None and not selectors.is_active_project(project_id):
        raise UnknownProjectError
    user_id = actor.claims.database_id
    path = keys.new_key(kind=kind, project_id=project_id, user_id=user_id, name=name)
    key = f"{settings.UPLOADS_PREFIX}{path}"
    upload = adapters.presign_upload(key=key, media_type=names.type_of(name))
    _log_signature("file_upload_signed", key, actor)
    return upload


def sign_download(*, key: str, actor: CognitoUser) -> str:
    """
    Sign the download of one file of a project, or of the caller's own folder.

    :raises UnknownFileError: if it does not exist, was deleted, or belongs to another person
    :raises UnavailableError: if there are no credentials to sign with
    """
    canonical_key = keys.canonical(key)
    if not (canonical_key and _may_read(canonical_key, actor)):
        raise UnknownFileError
    name = keys.display_name(canonical_key)
    url = adapters.presign_download(key=canonical_key, presentation=names.presentation(name))
    _log_signature("file_download_signed", canonical_key, actor)
    return url


def _may_read(key: str, actor: CognitoUser) -> bool:
    """
    Return whether the caller may read the object.

    Editors can write any key into a row through Hasura. So a row opens only the folders that are
    shared. A person's own folder needs no row, and no row opens it to others.
    """
    prefix = settings.UPLOADS_PREFIX
    path = key.removeprefix(prefix) if key.startswith(prefix) else ""
    if path.startswith(keys.USER_FOLDERS):
        folders = keys.folders_of_user(actor.claims.database_id)
        return path.startswith(folders) and path not in folders and _is_active(actor)
    if key.startswith(keys.USER_FOLDERS):
        return False  # in a user's folder of the stage that owns the bucket
    is_shared = path.startswith(keys.PROJECT_FOLDERS) or key.startswith(settings.FILES_OLDER_FOLDERS)
    return is_shared and selectors.live_rows(key).exists()


def _is_active(actor: CognitoUser) -> bool:
    """
    Return whether the caller's claims name an active row that is the caller's own.

    The claims item is found by address and may be older than the row. So the row must have the
    caller's account or address.
    """
    database_id = actor.claims.database_id
    person = selectors.find_person(int(database_id)) if keys.ID.fullmatch(database_id) else None
    if person is None:
        return False
    is_account = str(person.cognito_user_id) == actor.claims.user_id.lower()
    return is_account or normalize(person.email) == normalize(actor.email)


def _log_signature(event: str, key: str, actor: CognitoUser) -> None:
    logger.info(
        event,
        extra={
            "key": key,
            "sub": actor.sub,
            "database_id": actor.claims.database_id,
            "client": current().client_address,
        },
    )
