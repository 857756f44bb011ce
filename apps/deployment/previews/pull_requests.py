"""Reads pull requests from the arguments of `manage.py preview`."""

from argparse import ArgumentTypeError
from typing import Annotated, TypedDict

import msgspec

from apps.deployment.previews import names
from apps.deployment.settings import zappa_settings

KEEP, OPT_OUT = "keep", "no-preview"
# `gh pr list --limit`. A list of this length may lack open pull requests, which would look closed.
LIMIT = 1000


class Label(TypedDict):
    """A label of a pull request."""

    name: str


class Author(TypedDict):
    """The author of a pull request."""

    login: str


class PullRequest(msgspec.Struct, frozen=True, rename="camel"):
    """A pull request from `gh pr … --json author,isCrossRepository,labels,number,state`."""

    number: Annotated[int, msgspec.Meta(ge=1, lt=10**7)]
    state: str
    labels: list[Label]
    author: Author
    is_cross_repository: bool

    def has(self, label: str) -> bool:
        """Return whether the pull request has a label."""
        return any(each["name"] == label for each in self.labels)

    @property
    def no_preview_reason(self) -> str:
        """Return why the pull request gets no preview, or "" if it gets one."""
        if self.state != "OPEN":
            return "the pull request is closed"
        if self.is_cross_repository:
            return "the branch is a fork's"
        return f"it is labelled {OPT_OUT}" if self.has(OPT_OUT) else ""


def open_request(word: str) -> PullRequest:
    """Parse an argument such as `12` or `12:keep` as an open pull request."""
    number, _, label = word.partition(":")
    if label not in {"", KEEP, OPT_OUT}:
        raise ArgumentTypeError(f"{label!r} cannot follow the number {number}: write {KEEP} or {OPT_OUT}.")
    author = Author(login="")
    return PullRequest(names.number(number), "OPEN", [{"name": label}], author, is_cross_repository=False)


def read_list(source: str) -> list[PullRequest]:
    """Read the output of `gh pr list` from a file."""
    requests: list[PullRequest] = zappa_settings.read_argument(source, list[PullRequest])
    if len(requests) >= LIMIT:
        raise ArgumentTypeError(f"the list has {len(requests)} pull requests and may have been cut off.")
    return requests


def read(source: str) -> PullRequest:
    """Read the output of `gh pr view` from a file."""
    request: PullRequest = zappa_settings.read_argument(source, PullRequest)
    return request
