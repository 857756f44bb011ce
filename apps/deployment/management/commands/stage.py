"""`manage.py stage`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from apps.core.errors import UpstreamError
from apps.deployment import stages, subprocesses, zappa
from apps.deployment.errors import StageError
from apps.deployment.package import builder
from apps.deployment.previews import preview_settings
from apps.deployment.settings import rendering
from apps.deployment.verification import facts

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from apps.deployment.settings.rendering import Stage

ACTIONS = ("deploy", "update", "status", "verify", "rollback", "undeploy", "manage", "logs")


class Command(BaseCommand):
    help = "Bring the API to a stage, look after it there, and take it away again (docs/operations.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=ACTIONS, help="update is deploy under another name")
        parser.add_argument("stage", help="an entry of zappa_settings.json")
        parser.add_argument("command", nargs="*", help="manage: what to run there")
        parser.add_argument("--package", type=Path, help="deploy: one that was built before")
        parser.add_argument("--token", default="", help="deploy: a real ID token to try the version with")
        parser.add_argument("--to", default="", help="rollback: to this version, not to the one before")
        parser.add_argument("--url", default="", help="verify: where it answers, if not at its host name")
        parser.add_argument("--since", default="1h", help="logs: from when")
        parser.add_argument("--yes", action="store_true", help="undeploy: without asking")
        parser.add_argument("--overlay", type=Path, help="JSON to lay over the stage's settings (rehearsals)")

    def handle(self, *, action: str, stage: str, **options: Any) -> None:
        if stage == preview_settings.PATTERN:
            raise StageError(
                f"{stage} is the pattern of previews; `manage.py preview up 12` makes one for #12."
            )
        try:
            rendered = rendering.render(
                stage, commit=subprocesses.commit(), changes=rendering.overlay(options["overlay"])
            )
            getattr(self, f"_{action}")(rendered, options)
        except UpstreamError as error:
            raise StageError(f"AWS could not be asked: {error.__cause__ or error}") from error

    def _deploy(self, stage: Stage, options: dict[str, Any]) -> None:
        built = builder.of_stage(stage, options["package"])
        self._tell(f"package {built.digest[:12]}, {built.size / 2**20:.1f} MiB")
        stages.deploy(stage, built, token=options["token"], commit=subprocesses.commit(), tell=self._tell)

    _update = _deploy

    def _status(self, stage: Stage, _options: dict[str, Any]) -> None:
        for name, value in stages.status(stage).items():
            self._tell(f"{name:<13} {value}")

    def _verify(self, stage: Stage, options: dict[str, Any]) -> None:
        for line in facts.verify(facts.subject_of(stage, options["url"])):
            self._tell(line)

    def _rollback(self, stage: Stage, options: dict[str, Any]) -> None:
        stages.rollback(stage, options["to"], tell=self._tell)

    def _undeploy(self, stage: Stage, options: dict[str, Any]) -> None:
        if not options["yes"] and input(f"Type {stage.name} to remove it: ") != stage.name:
            raise CommandError("Nothing was removed.")
        stages.undeploy(stage, tell=self._tell)

    def _manage(self, stage: Stage, options: dict[str, Any]) -> None:
        if not options["command"]:
            raise CommandError("Say what to run, for example: stage manage staging check")
        command = " ".join(options["command"])
        outcome = stages.manage(stage, command)
        self._tell(outcome.output)
        if outcome.exit_code:
            raise CommandError(f"`{command}` ended with exit code {outcome.exit_code}.")

    def _logs(self, stage: Stage, options: dict[str, Any]) -> None:
        self._tell(zappa.tail(stage, options["since"]))

    def _tell(self, line: str) -> None:
        self.stdout.write(line)
