"""`manage.py preview`."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand

from apps.core.errors import UpstreamError
from apps.deployment import subprocesses
from apps.deployment.errors import StageError, as_stage_error
from apps.deployment.package import builder
from apps.deployment.previews import (
    creation,
    names,
    preview_settings,
    pull_requests,
    removal,
    sweeps,
)
from apps.deployment.settings import rendering

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from apps.deployment.previews.pull_requests import PullRequest

NUMBER = ("number", {"help": "of the pull request"})
OWNER = ("--owner", {"default": "unknown", "help": "the author of the pull request"})
PACKAGE = (
    ("--package", {"type": Path, "help": "one that was built before"}),
    ("--token", {"default": "", "help": "a real ID token of staging for the smoke test"}),
    ("--commit", {"default": "", "help": "by default the one that is checked out"}),
    ("--overlay", {"type": Path, "help": "JSON to lay over the settings (rehearsals)"}),
)
SWEEP = (
    ("--spare", {"type": int, "default": 60, "help": "minutes since a change that spare a preview"}),
    ("--yes", {"action": "store_true", "help": "delete, rather than say what would be deleted"}),
)
REQUEST = ("--request", {"required": True, "help": "a file of `gh pr view --json`, or - for stdin"})
JSON = ("--json", {"action": "store_true", "help": "print one JSON object"})


class Command(BaseCommand):
    help = (
        "Previews of pull requests (docs/previews.md). Exits with 0 on success, 1 with the reason of a"
        " failure, 3 if something is left behind, 4 if another run is changing the same preview."
    )
    requires_system_checks = ()  # Django itself runs in the package, which is tried out there

    def add_arguments(self, parser: ArgumentParser) -> None:
        self.actions = parser.add_subparsers(dest="action", required=True)
        self._add("up", "create a preview, or update it", NUMBER, OWNER, *PACKAGE)
        self._add("down", "delete a preview, and list what is left", NUMBER)
        self._add("list", "list the previews")
        sweep = self._add("sweep", "delete the previews without an open pull request", *SWEEP)
        source = sweep.add_mutually_exclusive_group(required=True)
        source.add_argument("--open", nargs="*", metavar="N[:keep]", help="the open pull requests")
        source.add_argument("--open-from", help="a file of `gh pr list --json`, or - for stdin")
        self._add("follow", "up or down, as the state of a pull request says", REQUEST, *PACKAGE)

    def _add(self, action: str, description: str, *arguments: tuple[str, dict[str, Any]]) -> ArgumentParser:
        parser = self.actions.add_parser(action, help=description, description=description)
        for name, options in (*arguments, JSON):
            parser.add_argument(name, **options)
        return parser

    def handle(self, *, action: str, **options: Any) -> None:
        self.said: list[str] = []
        self.quiet = options["json"]
        try:
            result = getattr(self, f"_{action}")(options)
        except (StageError, UpstreamError) as error:
            refusal = as_stage_error(error) if isinstance(error, UpstreamError) else error
            self._print_json({"error": str(refusal)})
            raise refusal from error.__cause__
        self._print_json(result)

    def _up(self, options: dict[str, Any]) -> dict[str, Any]:
        number = names.number(options["number"])
        stage = preview_settings.render(
            number,
            commit=options["commit"] or subprocesses.commit(),
            owner=options["owner"],
            changes=rendering.overlay(options["overlay"]),
        )
        package = builder.of_stage(stage, options["package"])
        info = creation.up(stage, package, number=number, token=options["token"], tell=self._tell)
        curl = f'curl -H "Authorization: Bearer $TOKEN" {info["url"]}/auth/current_user'
        self._tell(curl)
        return {**info, "curl": curl}

    def _down(self, options: dict[str, Any]) -> dict[str, Any]:
        number = names.number(options["number"])
        removal.down(number, preview_settings.outputs(), tell=self._tell)
        return {"preview": names.stage(number), "left": []}

    def _list(self, _options: dict[str, Any]) -> dict[str, Any]:
        previews = []
        for stack in sweeps.every(preview_settings.outputs()):
            tags = {name: stack.tags.get(name, "") for name in ("commit", "owner", "since", "expires")}
            previews.append({"number": stack.number, "status": stack.status, "url": stack.url, **tags})
            told = (
                f"{tags['commit'] or 'in part':<12}",
                f"{tags['owner']:<20}",
                f"until {tags['expires'][:16]}",
            )
            self._tell(f"{names.stage(stack.number):<12} {' '.join(told)} {stack.url}")
        self._tell(f"{len(previews)} previews")
        return {"previews": previews}

    def _sweep(self, options: dict[str, Any]) -> dict[str, Any]:
        decisions = sweeps.sweep(
            preview_settings.outputs(),
            _requests(options),
            timedelta(minutes=options["spare"]),
            really=options["yes"],
            tell=self._tell,
        )
        if not options["yes"]:
            self._tell("nothing was deleted; add --yes to delete")
        return {"decisions": [decision._asdict() for decision in decisions], "removed": options["yes"]}

    def _follow(self, options: dict[str, Any]) -> dict[str, Any]:
        request = pull_requests.parse_view(_text(options["request"]))
        options |= {"number": str(request.number), "owner": request.owner}
        if not request.why_not:
            return self._up(options)
        self._tell(f"{names.stage(request.number)}: {request.why_not}")
        return {**self._down(options), "why": request.why_not}

    def _tell(self, line: str) -> None:
        self.said.append(line)
        if not self.quiet:
            self.stdout.write(line)

    def _print_json(self, result: dict[str, Any]) -> None:
        if self.quiet:
            self.stdout.write(json.dumps({**result, "said": self.said}))


def _requests(options: dict[str, Any]) -> list[PullRequest]:
    if options["open_from"] is None:
        return pull_requests.parse_numbers(options["open"])
    return pull_requests.parse_list(_text(options["open_from"]))


def _text(source: str) -> str:
    try:
        return sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
    except OSError as error:
        raise StageError(f"{source} cannot be read: {error.strerror}.") from error
