"""Pull requests, as GitHub's own command line prints them (`gh pr list --json …`, `gh pr view --json …`)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apps.deployment.errors import StageError
from apps.deployment.previews import names

if TYPE_CHECKING:
    from collections.abc import Iterable

KEEP, OPT_OUT = "keep", "no-preview"
# `gh pr list --limit`: a list of this length may have been cut off, and what is cut off looks closed.
LIMIT = 1000


@dataclass(frozen=True, slots=True)
class PullRequest:
    """What decides about a preview."""

    number: int
    is_open: bool = True
    is_ours: bool = True
    labels: frozenset[str] = frozenset()
    owner: str = "unknown"

    @property
    def why_not(self) -> str:
        """Return why it has no preview, on one line; "" if it has one."""
        if not self.is_open:
            return "the pull request is closed"
        if not self.is_ours:
            return "the branch is a fork's"
        return f"it is labelled {OPT_OUT}" if OPT_OUT in self.labels else ""

    @property
    def is_kept(self) -> bool:
        """Tell whether its preview does not expire while it is open."""
        return KEEP in self.labels


def parse_numbers(words: Iterable[str]) -> dict[int, PullRequest]:
    """
    Return open pull requests from `12` and `12:keep`, as they were typed.

    :raises StageError: if one is no number, or its label unknown
    """
    found = {}
    for word in words:
        text, _, label = word.partition(":")
        if label not in {"", KEEP, OPT_OUT}:
            raise StageError(f"{word!r}: after the number stands {KEEP}, {OPT_OUT} or nothing.")
        number = names.number(text)
        found[number] = PullRequest(number, labels=frozenset({label} - {""}))
    return found


def parse_list(text: str) -> dict[int, PullRequest]:
    """
    Return the pull requests of `gh pr list --json number,state,labels,author,isCrossRepository`.

    :raises StageError: if it is no such list, or may have been cut off
    """
    requests = _loaded(text, list)
    if len(requests) >= LIMIT:
        raise StageError(f"The list has {len(requests)} pull requests and may have been cut off.")
    return {request.number: request for request in map(_request, requests)}


def parse_view(text: str) -> PullRequest:
    """
    Return the pull request of `gh pr view --json number,state,labels,author,isCrossRepository`.

    :raises StageError: if it is no such object
    """
    return _request(_loaded(text, dict))


def _loaded(text: str, kind: type) -> Any:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise StageError("This is not the JSON that `gh pr` prints.") from error
    if not isinstance(value, kind):
        raise StageError("This is not the JSON that `gh pr` prints.")
    return value


def _request(value: Any) -> PullRequest:
    try:
        return PullRequest(
            number=names.number(str(value["number"])),
            is_open=value["state"] == "OPEN",
            is_ours=not value["isCrossRepository"],
            labels=frozenset(label["name"] for label in value["labels"]),
            owner=str(value["author"]["login"]),
        )
    except (KeyError, TypeError) as error:
        raise StageError(
            "Of a pull request we want to know number, state, labels, author and isCrossRepository."
        ) from error
