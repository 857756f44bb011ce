"""`manage.py preview`."""

import json
from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from apps.core.errors import UpstreamError
from apps.deployment import subprocesses
from apps.deployment.aws import stack_updates
from apps.deployment.errors import StageError, as_stage_error
from apps.deployment.package import builder
from apps.deployment.previews import creation, names, pull_requests, removal
from apps.deployment.previews.pull_requests import PullRequest
from apps.deployment.settings import rendering

ACTIONS = {
    "up": "create a preview, or update it",
    "down": "delete a preview, and list what is left",
    "list": "list the previews",
    "sweep": "delete the previews without an open pull request",
    "follow": "up or down, as the state of a pull request says",
}
# The arguments, each after its actions. `sweep` requires one of the last two, with all open pull requests.
ARGUMENTS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (" ".join(ACTIONS), "--json", {"action": "store_true", "help": "print JSON, and progress to stderr"}),
    ("up down", "number", {"type": names.number, "help": "of the pull request"}),
    ("up", "--owner", {"default": "unknown", "help": "the author of the pull request"}),
    ("up follow", "--package", {"type": Path, "help": "one that was built before"}),
    ("up follow", "--commit", {"default": "", "help": "by default the one that is checked out"}),
    ("up follow", "--overlay", rendering.OVERLAY),
    ("follow", "--request", {"type": pull_requests.read, "required": True, "help": "JSON of `gh pr view`"}),
    ("sweep", "--spare", {"type": int, "default": 60, "help": "minutes since a change that spare a preview"}),
    ("sweep", "--yes", {"action": "store_true", "help": "delete, rather than say what would be deleted"}),
    ("open", "--open", {"type": pull_requests.open_request, "nargs": "*", "help": "all open: 12 13:keep"}),
    ("open", "--open-from", {"type": pull_requests.read_list, "dest": "open", "help": "of `gh pr list`"}),
)


class Command(BaseCommand):
    help = (
        "Previews of pull requests (docs/previews.md). Exits with 0 on success, 1 with the reason of a"
        " failure, 2 for a wrong argument, 3 if something is left, 4 if another run changes the same preview."
    )
    requires_system_checks = ()  # they run in the package's smoke test

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        parsers: dict[str, Any] = {
            action: actions.add_parser(action, help=text, description=text)
            for action, text in ACTIONS.items()
        }
        parsers["open"] = parsers["sweep"].add_mutually_exclusive_group(required=True)
        for takers, name, options in ARGUMENTS:
            for taker in takers.split():
                parsers[taker].add_argument(name, **options)

    def handle(self, *, action: str, **options: Any) -> None:
        self._tell = (self.stderr if options["json"] else self.stdout).write
        error = None
        try:
            result = getattr(self, f"_{action}")(**options)
        except (StageError, UpstreamError) as failure:
            error = as_stage_error(failure)
            result = {"error": str(error)}
        if options["json"]:
            self.stdout.write(json.dumps(result))
        if error:
            raise error

    def _up(self, *, number: int, owner: str, commit: str, **options: Any) -> dict[str, Any]:
        commit = commit or subprocesses.commit()
        stage = creation.render(number, commit=commit, owner=owner, changes=options["overlay"])
        package = builder.package_for(stage, options["package"])
        return creation.up(stage, package, tell=self._tell)

    def _down(self, *, number: int, **_options: Any) -> dict[str, Any]:
        removal.down(number, removal.buckets(), self._tell)
        return {"preview": names.stage(number), "left": []}

    def _list(self, **_options: Any) -> dict[str, Any]:
        previews = []
        for number, stack in removal.list_previews(removal.buckets()).items():
            tags = stack_updates.tags_of(stack)
            info = {name: tags.get(name, "") for name in ("commit", "owner", "since", "expires")}
            info["status"] = stack["StackStatus"] if stack else ""
            info["url"] = stack_updates.outputs_of(stack).get("Url", "").rstrip("/")
            previews.append({"number": number, **info})
            line = "pr_{number:<9} {commit:<12} {owner:<20} {status:<24} until {expires:.16} {url}"
            self._tell(line.format(**previews[-1]))
        self._tell(f"{len(previews)} previews")
        return {"previews": previews}

    def _sweep(self, *, spare: int, yes: bool, **options: Any) -> dict[str, Any]:
        decisions = removal.sweep(options["open"], timedelta(minutes=spare), delete=yes, tell=self._tell)
        if not yes:
            self._tell("nothing was deleted; add --yes to delete")
        return {"decisions": decisions, "removed": yes}

    def _follow(self, *, request: PullRequest, **options: Any) -> dict[str, Any]:
        if not request.no_preview_reason:
            return self._up(number=request.number, owner=request.author["login"], **options)
        self._tell(f"{names.stage(request.number)}: {request.no_preview_reason}")
        return {**self._down(number=request.number), "why": request.no_preview_reason}
