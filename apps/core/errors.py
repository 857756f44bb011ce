"""
The kinds of failure, free of HTTP.

A service or gateway raises one of these, or a subclass with its own `code` and `message`;
apps.core.http.problems says which status that means.
"""

from typing import ClassVar


class MopedError(Exception):
    """
    A failure with a code.

    `code` is for programs and never changes; `message` is for people. `fields` maps the names
    of what the caller sent to lists of messages, where the failure is about such a thing;
    `field` on a class names the one it is always about.
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
    """The resource does not exist, or the caller may not know of it."""

    code = "not_found"
    message = "There is no such thing here."


class ConflictError(MopedError):
    """The request contradicts the current state."""

    code = "conflict"
    message = "This contradicts what is already there."


class UpstreamError(MopedError):
    """Another service gave an unusable answer; our caller did nothing wrong."""

    code = "upstream_error"
    message = "A service that this one depends on gave an answer it should not have given."


class UnavailableError(UpstreamError):
    """Another service cannot be reached for now; `retry_after` is in seconds."""

    code = "unavailable"
    message = "A service that this one depends on cannot be reached. Try again in a moment."
    retry_after: ClassVar[int] = 5
