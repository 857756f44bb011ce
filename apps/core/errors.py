"""
The kinds of failure, free of HTTP.

A service or gateway raises one of these, or a subclass with its own `code` and `message`;
apps.core.http.problems says which status that means.
"""

from __future__ import annotations

from typing import ClassVar


class MopedError(Exception):
    """
    Something that can go wrong and has a name.

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
    """What the caller brought cannot be used."""

    code = "invalid"
    message = "The request is not valid."


class UnauthenticatedError(MopedError):
    """Nobody knows who is calling."""

    code = "unauthenticated"
    message = "Sign in first."


class ForbiddenError(MopedError):
    """The caller is known and may not do this."""

    code = "forbidden"
    message = "You may not do this."


class NotFoundError(MopedError):
    """There is no such thing, or none the caller may know of."""

    code = "not_found"
    message = "There is no such thing here."


class ConflictError(MopedError):
    """The request contradicts what is already there."""

    code = "conflict"
    message = "This contradicts what is already there."


class UpstreamError(MopedError):
    """A neighbour answered what we cannot use; our caller did nothing wrong."""

    code = "upstream_error"
    message = "A service that this one depends on gave an answer it should not have given."


class UnavailableError(UpstreamError):
    """A neighbour cannot be reached for now; `retry_after` is in seconds."""

    code = "unavailable"
    message = "A service that this one depends on cannot be reached. Try again in a moment."
    retry_after: ClassVar[int] = 5
