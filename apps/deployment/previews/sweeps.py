"""`preview sweep`: delete the previews without an open pull request, and those that have expired."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from apps.core.errors import UpstreamError
from apps.deployment.errors import LeftBehindError, StageError, as_stage_error
from apps.deployment.previews import names, preview_stack, pull_requests, removal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from apps.deployment.previews.preview_stack import PreviewStack
    from apps.deployment.previews.pull_requests import PullRequest

    Tell = Callable[[str], None]


class Decision(NamedTuple):
    """Whether a preview is deleted, and why."""

    number: int
    goes: bool
    why: str


def every(outputs: Mapping[str, str]) -> list[PreviewStack]:
    """Return all previews, and those of which only files are left, by number."""
    numbers = preview_stack.numbers() | removal.numbers_of_files(outputs)
    return [preview_stack.read(number) for number in sorted(numbers)]


def sweep(
    outputs: Mapping[str, str],
    requests: Iterable[PullRequest],
    spared: timedelta,
    *,
    really: bool,
    tell: Tell,
) -> list[Decision]:
    """
    Delete previews. A failure does not stop the others.

    :param outputs: of staging's stack
    :param requests: the open pull requests
    :param spared: a preview that changed within this time stays, since the list may be older
    :param really: False only to say what would be deleted
    :raises LeftBehindError: if something is left, with a list of it
    """
    known = {request.number: request for request in requests}
    decisions = [_decide(preview, known.get(preview.number), spared) for preview in every(outputs)]
    failures = []
    for number, goes, why in decisions:
        tell(f"{names.stage(number)} {'goes' if goes else 'stays'}: {why}")
        try:
            if goes and really:
                removal.down(number, outputs, tell=lambda line: tell(f"  {line}"))
        except StageError as error:
            failures.append(str(error))
        except UpstreamError as error:
            failures.append(f"{names.stage(number)}: {as_stage_error(error)}")
    if failures:
        raise LeftBehindError(" ".join(failures))
    return decisions


def _decide(preview: PreviewStack, request: PullRequest | None, spared: timedelta) -> Decision:
    now = datetime.now(UTC)
    why = request.why_not if request else "no open pull request has this number"
    if not why and preview.has_expired(now):
        why = f"it has expired on {preview.tags['expires'][:10]}"
        if request and pull_requests.KEEP in request.labels:
            return Decision(preview.number, goes=False, why="it has expired, and is labelled keep")
    if why and now - preview.changed < spared:
        return Decision(preview.number, goes=False, why=f"{why}, but it was changed a moment ago")
    return Decision(preview.number, goes=bool(why), why=why or "the pull request is open")
