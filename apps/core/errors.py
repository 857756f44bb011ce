"""
The kinds of failure, independent of HTTP.

A service or adapter raises one of these classes, or a subclass with its own `code` and `message`.
apps.core.http.problems maps each kind to a status.
"""

from typing import ClassVar


class MopedError(Exception):
    """
    A failure with a code.

    `code` is for programs and never changes. `message` is for people. If the failure is about
    fields of the request, `fields` maps their names to lists of messages. A class that is always
    about the same field names it in `field`.
    """

    code: ClassVar[str] = "error"
    message: ClassVar[str] = "Something went wrong."
    field: ClassVar[str] = ""

    def __init__(self, message: str = "", *, fields: dict[str, list[str]] | None = None) -> None:
        super().__init__(message or self.message)
        self.fields = fields or ({self.field: [str(self)]} if self.field else {})


class InvalidError(MopedError):
    """The input is invalid."""

    code = "invalid"
    message = "The request is not valid."


class UnauthenticatedError(MopedError):
    """The caller is unknown."""

    code = "unauthenticated"
    message = "Sign in first."


class ForbiddenError(MopedError):
    """The caller is known and may not do this."""

    code = "forbidden"
    message = "You may not do this."


class NotFoundError(MopedError):
    """The resource does not exist, or the caller may not know that it exists."""

    code = "not_found"
    message = "There is no such thing here."


class ConflictError(MopedError):
    """The request contradicts the current state."""

    code = "conflict"
    message = "This contradicts what is already there."


class UpstreamError(MopedError):
    """Another service gave an unusable answer. The caller did nothing wrong."""

    code = "upstream_error"
    message = "A service that this one depends on gave an answer it should not have given."


class UnavailableError(UpstreamError):
    """Another service cannot be reached for now. `retry_after` is in seconds."""

    code = "unavailable"
    message = "A service that this one depends on cannot be reached. Try again in a moment."
    retry_after: ClassVar[int] = 5
