"""Pull requests, as GitHub's command line prints them (`gh pr list --json …`, `gh pr view --json …`)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apps.deployment.errors import StageError
from apps.deployment.previews import names

if TYPE_CHECKING:
    from collections.abc import Iterable

KEEP, OPT_OUT = "keep", "no-preview"
# `gh pr list --limit`. A list of this length may be incomplete, and a missing request would look closed.
LIMIT = 1000


@dataclass(frozen=True, slots=True)
class PullRequest:
    """What decides about a preview."""

    number: int
    is_open: bool = True
    is_fork: bool = False
    labels: frozenset[str] = frozenset()
    owner: str = "unknown"

    @property
    def why_not(self) -> str:
        """Return why it has no preview; "" if it has one."""
        if not self.is_open:
            return "the pull request is closed"
        if self.is_fork:
            return "the branch is a fork's"
        return f"it is labelled {OPT_OUT}" if OPT_OUT in self.labels else ""


def parse_numbers(words: Iterable[str]) -> list[PullRequest]:
    """
    Return open pull requests from `12` and `12:keep`.

    :raises StageError: if one is not a number, or its label is unknown
    """
    requests = []
    for number, _, label in (word.partition(":") for word in words):
        if label not in {"", KEEP, OPT_OUT}:
            raise StageError(f"{label!r} cannot follow the number {number}: write {KEEP} or {OPT_OUT}.")
        requests.append(PullRequest(names.number(number), labels=frozenset({label} - {""})))
    return requests


def parse_list(text: str) -> list[PullRequest]:
    """
    Return the pull requests of `gh pr list --json number,state,labels,author,isCrossRepository`.

    :raises StageError: if the text is not such a list, or may be incomplete
    """
    items = _parse(text, list)
    if len(items) >= LIMIT:
        raise StageError(f"The list has {len(items)} pull requests and may have been cut off.")
    return [_request(item) for item in items]


def parse_view(text: str) -> PullRequest:
    """
    Return the pull request of `gh pr view --json number,state,labels,author,isCrossRepository`.

    :raises StageError: if the text is not such an object
    """
    return _request(_parse(text, dict))


def _parse(text: str, kind: type) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, kind):
        raise StageError("This is not the JSON that `gh pr` prints.")
    return value


def _request(item: Any) -> PullRequest:
    try:
        return PullRequest(
            names.number(str(item["number"])),
            is_open=item["state"] == "OPEN",
            is_fork=item["isCrossRepository"],
            labels=frozenset(label["name"] for label in item["labels"]),
            owner=str(item["author"]["login"]),
        )
    except (KeyError, TypeError) as error:
        raise StageError(
            "A pull request needs number, state, labels, author and isCrossRepository."
        ) from error
