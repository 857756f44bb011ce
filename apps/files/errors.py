"""The errors of the file routes."""

from apps.core.errors import ForbiddenError, InvalidError, NotFoundError


class UnusableFileNameError(InvalidError):
    """The file's name cannot be part of a key."""

    code = "file_name_unusable"
    message = "This file name cannot be used."
    field = "file"


class UnknownProjectError(InvalidError):
    """There is no such project, or it was deleted."""

    code = "project_unknown"
    message = "There is no such project."
    field = "project_id"


class NotAMopedUserError(ForbiddenError):
    """The token's database id belongs to no active user, or to another one."""

    code = "database_id_refused"
    message = "Your account is not linked to an active Moped user. Ask a Moped administrator."


class UnknownFileError(NotFoundError):
    """There is no such file for this caller. It may exist for another."""

    code = "file_unknown"
    message = "There is no such file, or it was deleted."
