"""`manage.py preview`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand

from apps.core.errors import UpstreamError
from apps.deployment import subprocesses
from apps.deployment.errors import StageError
from apps.deployment.package import builder
from apps.deployment.previews import (
    aws_errors,
    comments,
    listing,
    names,
    opening,
    preview_settings,
    pull_requests,
    removal,
    sweeps,
)
from apps.deployment.settings import rendering

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from apps.deployment.previews.pull_requests import PullRequest

ACTIONS = ("up", "down", "list", "sweep", "follow", "comment")
CONSOLE = (
    "https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logsV2:log-groups/log-group/"
)


class Command(BaseCommand):
    help = (
        "A preview of a pull request: make it, remove it, list them, sweep what is left over"
        " (docs/previews.md). Exits with 0 if all is well, 1 with the reason if not, 3 if something is"
        " left behind, 4 if another process is changing it: run it again."
    )

    requires_system_checks = ()  # of Django's part nothing is used: it is in the package that is looked at

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=ACTIONS)
        parser.add_argument("number", nargs="?", default="", help="of the pull request")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--package", type=Path, help="up: one that was built before")
        parser.add_argument("--token", default="", help="up: a real ID token of staging to try it with")
        parser.add_argument("--commit", default="", help="up: of which commit; by default what git says")
        parser.add_argument("--owner", default="unknown", help="up: whose it is")
        parser.add_argument("--overlay", type=Path, help="JSON to lay over the settings (rehearsals)")
        parser.add_argument("--request", help="follow: a file of `gh pr view --json`, or - to read it here")
        parser.add_argument("--open", nargs="*", metavar="N[:keep]", help="sweep: the open pull requests")
        parser.add_argument("--open-from", help="sweep: a file of `gh pr list --json`, or - to read it here")
        parser.add_argument("--spare", type=int, default=60, help="sweep: what was changed in these minutes")
        parser.add_argument("--yes", action="store_true", help="sweep: remove, rather than say what would be")
        parser.add_argument("--result", type=Path, help="comment: what `follow --json` printed")
        parser.add_argument("--repository", default="", help="comment: owner/name; without it, only print")

    def handle(self, *, action: str, **options: Any) -> None:
        self.said: list[str] = []
        self.quiet = options["json"]
        try:
            result = self._answer(action, options)
        except StageError as error:
            if self.quiet:
                self.stdout.write(json.dumps({"error": str(error), "said": self.said}))
            raise
        if self.quiet:
            self.stdout.write(json.dumps({**result, "said": self.said}))

    def _answer(self, action: str, options: dict[str, Any]) -> dict[str, Any]:
        try:
            return dict(getattr(self, f"_{action}")(options))
        except UpstreamError as error:
            raise aws_errors.as_stage_error(error) from error

    def _up(self, options: dict[str, Any], owner: str = "") -> dict[str, Any]:
        number = names.number(options["number"])
        stage = preview_settings.render(
            number,
            commit=options["commit"] or subprocesses.commit(),
            owner=owner or options["owner"],
            changes=rendering.overlay(options["overlay"]),
        )
        built = builder.of_stage(stage, options["package"])
        result = opening.up(stage, built, number=number, token=options["token"], tell=self._tell)
        self._tell(result.curl)
        self._tell(f"{result.preview} of commit {result.commit}, until {result.expires}; {result.seconds} s")
        return {**asdict(result), "curl": result.curl, "logs": _logs(number)}

    def _down(self, options: dict[str, Any]) -> dict[str, Any]:
        number = names.number(options["number"])
        removal.down(number, preview_settings.outputs()["UploadsBucket"], tell=self._tell)
        return {"preview": names.stage(number), "left": []}

    def _list(self, options: dict[str, Any]) -> dict[str, Any]:
        previews = listing.every(preview_settings.outputs()["UploadsBucket"])
        for entry in previews:
            self._tell(
                f"{names.stage(entry.number):<12} {entry.commit or 'in part':<12} {entry.owner:<20}"
                f" since {entry.since[:16] or '?':<16} until {entry.expires[:16] or '?':<16}"
                f" {entry.url}".rstrip()
            )
        self._tell(f"{len(previews)} previews")
        return {"previews": [{**asdict(entry), "changed": entry.changed.isoformat()} for entry in previews]}

    def _sweep(self, options: dict[str, Any]) -> dict[str, Any]:
        decisions = sweeps.sweep(
            preview_settings.outputs()["UploadsBucket"],
            _requests(options),
            spared=timedelta(minutes=options["spare"]),
            really=options["yes"],
            tell=self._tell,
        )
        if not options["yes"]:
            self._tell("nothing was removed; with --yes it would be")
        return {"decisions": [asdict(decision) for decision in decisions], "removed": options["yes"]}

    def _follow(self, options: dict[str, Any]) -> dict[str, Any]:
        """Do what a pull request as it is now asks for, whichever event brought us here."""
        request = pull_requests.parse_view(_text(options["request"], "--request"))
        options["number"] = str(request.number)
        if not request.why_not:
            return self._up(options, request.owner)
        self._tell(f"{names.stage(request.number)}: {request.why_not}")
        return {**self._down(options), "why": request.why_not}

    def _comment(self, options: dict[str, Any]) -> dict[str, Any]:
        number = names.number(options["number"])
        if options["result"] is None:
            raise StageError("Say with --result where the output of `preview follow --json` lies.")
        result = comments.load(options["result"])
        text, repository = comments.body(result), options["repository"]
        self._tell(
            comments.post(number, text, repository, new=comments.is_news(result)) if repository else text
        )
        return {"body": text}

    def _tell(self, line: str) -> None:
        self.said.append(line)
        if not self.quiet:
            self.stdout.write(line)


def _requests(options: dict[str, Any]) -> dict[int, PullRequest]:
    if (options["open"] is None) == (options["open_from"] is None):
        raise StageError(
            "Say which pull requests are open, with --open (nothing after it: none) or --open-from."
        )
    if options["open_from"] is None:
        return pull_requests.parse_numbers(options["open"])
    return pull_requests.parse_list(_text(options["open_from"], "--open-from"))


def _text(source: str | None, option: str) -> str:
    if not source:
        raise StageError(f"Say with {option} where to read, or - for standard input.")
    try:
        return sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
    except OSError as error:
        raise StageError(f"{source} cannot be read: {error.strerror}.") from error


def _logs(number: int) -> str:
    # The console wants its slashes escaped twice, with a dollar for the second percent sign.
    group = names.log_group(number).replace("/", "$252F")
    return f"{CONSOLE.format(region=settings.AWS_REGION)}{group}"
