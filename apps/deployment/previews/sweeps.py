"""
`preview sweep`: what runs beside what is open; what is closed, expired or half removed goes.

It is the net under the workflow: a teardown that never ran, was cut off, or ran while a form for an
upload was still good.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from apps.core.errors import UpstreamError
from apps.deployment.errors import LeftBehindError, StageError
from apps.deployment.previews import aws_errors, listing, names, removal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from apps.deployment.previews.listing import Preview
    from apps.deployment.previews.pull_requests import PullRequest

    Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one preview, and why."""

    number: int
    goes: bool
    why: str

    def __str__(self) -> str:
        return f"{names.stage(self.number)} {'goes' if self.goes else 'stays'}: {self.why}"


def decide(
    previews: list[Preview], requests: Mapping[int, PullRequest], *, spared: timedelta, now: datetime
) -> list[Decision]:
    """
    Return what becomes of each preview.

    :param requests: the open pull requests, by number
    :param spared: what was changed within this time stays, since it may be younger than the list
    """
    return [_decision(preview, requests.get(preview.number), spared, now) for preview in previews]


def sweep(
    bucket: str, requests: Mapping[int, PullRequest], *, spared: timedelta, really: bool, tell: Tell
) -> list[Decision]:
    """
    Decide, and remove what goes; what cannot be removed keeps nothing else from being so.

    :param really: False only to say what would be done
    :raises LeftBehindError: if something is left of what had to go, with all that is
    """
    decisions = decide(listing.every(bucket), requests, spared=spared, now=datetime.now(UTC))
    trouble = []
    for decision in decisions:
        tell(str(decision))
        if decision.goes and really:
            try:
                removal.down(decision.number, bucket, tell=lambda line: tell(f"  {line}"))
            except StageError as error:
                trouble.append(str(error))
            except UpstreamError as error:
                trouble.append(f"{names.stage(decision.number)}: {aws_errors.as_stage_error(error)}")
    if trouble:
        raise LeftBehindError(" ".join(trouble))
    return decisions


def _decision(preview: Preview, request: PullRequest | None, spared: timedelta, now: datetime) -> Decision:
    why = request.why_not if request else "no open pull request has this number"
    if not why and preview.has_expired(now):
        if request and request.is_kept:
            return Decision(preview.number, goes=False, why="it has expired, and is labelled keep")
        why = f"it has expired on {preview.expires[:10]}"
    if not why:
        return Decision(preview.number, goes=False, why="the pull request is open")
    if now - preview.changed < spared:
        return Decision(preview.number, goes=False, why=f"{why}, but it was changed a moment ago")
    return Decision(preview.number, goes=True, why=why)
