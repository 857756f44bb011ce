"""`manage.py preview`."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand

from apps.core.errors import UpstreamError
from apps.deployment import subprocesses
from apps.deployment.aws import stack_updates
from apps.deployment.errors import StageError, as_stage_error
from apps.deployment.package import builder
from apps.deployment.previews import creation, names, preview_settings, pull_requests, removal
from apps.deployment.settings import rendering

if TYPE_CHECKING:
    from argparse import ArgumentParser

JSON = ("--json", {"action": "store_true", "help": "print one JSON object, and the progress to stderr"})
NUMBER = ("number", {"type": names.number, "help": "of the pull request"})
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
REQUEST = (
    "--request",
    {"type": pull_requests.read, "required": True, "help": "a file of `gh pr view --json`, or - for stdin"},
)
OPEN: dict[str, dict[str, Any]] = {
    "--open": {
        "type": pull_requests.open_request,
        "nargs": "*",
        "help": "the numbers of all open ones: 12 13:keep",
    },
    "--open-from": {"type": pull_requests.read_list, "help": "a file of `gh pr list --json`, or - for stdin"},
}


class Command(BaseCommand):
    help = (
        "Previews of pull requests (docs/previews.md). Exits with 0 on success, 1 with the reason of a"
        " failure, 2 for a wrong argument, 3 if something is left, 4 if another run changes the same preview."
    )
    requires_system_checks = ()  # Django itself runs in the package, which is tried out there

    def add_arguments(self, parser: ArgumentParser) -> None:
        self.actions = parser.add_subparsers(dest="action", required=True)
        self._add("up", "create a preview, or update it", NUMBER, OWNER, *PACKAGE)
        self._add("down", "delete a preview, and list what is left", NUMBER)
        self._add("list", "list the previews")
        sweep = self._add("sweep", "delete the previews without an open pull request", *SWEEP)
        source = sweep.add_mutually_exclusive_group(required=True)
        for name, reading in OPEN.items():
            source.add_argument(name, dest="open", **reading)
        self._add("follow", "up or down, as the state of a pull request says", REQUEST, *PACKAGE)

    def _add(self, action: str, description: str, *arguments: tuple[str, dict[str, Any]]) -> ArgumentParser:
        parser = self.actions.add_parser(action, help=description, description=description)
        for name, options in (JSON, *arguments):
            parser.add_argument(name, **options)
        return parser

    def handle(self, *, action: str, **options: Any) -> None:
        self._tell = (self.stderr if options["json"] else self.stdout).write
        error = None
        try:
            result = getattr(self, f"_{action}")(options)
        except (StageError, UpstreamError) as failure:
            error = as_stage_error(failure)
            result = {"error": str(error)}
        if options["json"]:
            self.stdout.write(json.dumps(result))
        if error:
            raise error

    def _up(self, options: dict[str, Any]) -> dict[str, Any]:
        number = options["number"]
        stage = preview_settings.render(
            number,
            commit=options["commit"] or subprocesses.commit(),
            owner=options["owner"],
            changes=rendering.overlay(options["overlay"]),
        )
        package = builder.of_stage(stage, options["package"])
        return creation.up(stage, package, number=number, token=options["token"], tell=self._tell)

    def _down(self, options: dict[str, Any]) -> dict[str, Any]:
        removal.down(options["number"], preview_settings.outputs(), self._tell)
        return {"preview": names.stage(options["number"]), "left": []}

    def _list(self, _options: dict[str, Any]) -> dict[str, Any]:
        previews = []
        for number, stack in removal.every(preview_settings.outputs()).items():
            tags = stack_updates.tags_of(stack)
            info = {name: tags.get(name, "") for name in ("commit", "owner", "since", "expires")}
            info["status"] = stack["StackStatus"] if stack else ""
            info["url"] = stack_updates.outputs_of(stack).get("Url", "").rstrip("/")
            previews.append({"number": number, **info})
            line = "{:<12} {commit:<12} {owner:<20} {status:<24} until {expires:.16} {url}"
            self._tell(line.format(names.stage(number), **info))
        self._tell(f"{len(previews)} previews")
        return {"previews": previews}

    def _sweep(self, options: dict[str, Any]) -> dict[str, Any]:
        spared, really = timedelta(minutes=options["spare"]), options["yes"]
        decisions = removal.sweep(
            preview_settings.outputs(), options["open"], spared, really=really, tell=self._tell
        )
        if not really:
            self._tell("nothing was deleted; add --yes to delete")
        return {"decisions": decisions, "removed": really}

    def _follow(self, options: dict[str, Any]) -> dict[str, Any]:
        request = options["request"]
        options |= {"number": request.number, "owner": request.author.login}
        if not request.why_not:
            return self._up(options)
        self._tell(f"{names.stage(request.number)}: {request.why_not}")
        return {**self._down(options), "why": request.why_not}
