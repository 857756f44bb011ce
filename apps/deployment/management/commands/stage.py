"""`manage.py stage`."""

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core.errors import UpstreamError
from apps.deployment import stages, subprocesses
from apps.deployment.errors import StageError, as_stage_error
from apps.deployment.package import builder
from apps.deployment.previews import names
from apps.deployment.settings import rendering
from apps.deployment.settings.rendering import Stage
from apps.deployment.settings.zappa_settings import Settings

Run = Callable[[Stage, dict[str, Any]], None]


class Command(BaseCommand):
    help = "Deploy the API to a stage, look after it there, and remove it (docs/operations.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        self._actions = parser.add_subparsers(metavar="action", required=True)
        deploy = self._add("deploy", self._deploy, "Build, publish and try a version, then make it live.")
        deploy.add_argument("--package", type=Path, help="a package that was built before")
        deploy.add_argument("--token", default="", help="a real ID token to try the version with")
        self._add("status", self._status, "Print the live version, the one before, and the addresses.")
        verify = self._add("verify", self._verify, "Check what the API relies on: pool, table and answers.")
        verify.add_argument("--url", default="", help="where the stage answers, if not at its host name")
        rollback = self._add("rollback", self._rollback, "Make the version before live again.")
        rollback.add_argument("--to", default="", help="make this version live instead")
        undeploy = self._add(
            "undeploy", self._undeploy, "Remove the functions and the REST API, not the data."
        )
        undeploy.add_argument("--yes", action="store_true", help="do not ask")
        manage = self._add("manage", self._manage, "Run a management command in the stage's function.")
        manage.add_argument("command", nargs="+", help="for example: check")
        logs = self._add("logs", self._logs, "Print the log of the stage's function.")
        logs.add_argument("--since", default="1h", help="from when, for example 30m")

    def _add(self, name: str, run: Run, text: str) -> ArgumentParser:
        parser: ArgumentParser = self._actions.add_parser(name, help=text, description=text)
        parser.add_argument("stage", help="an entry of zappa_settings.json")
        parser.add_argument("--overlay", **rendering.OVERLAY)
        parser.set_defaults(run=run)
        return parser

    def handle(self, *, stage: str, run: Run, overlay: Settings, **options: Any) -> None:
        if stage == names.PATTERN:
            raise StageError(
                f"{stage} is the pattern of previews; `manage.py preview up 12` makes one for #12."
            )
        try:
            run(rendering.render(stage, commit=subprocesses.commit(), changes=overlay), options)
        except UpstreamError as error:
            raise as_stage_error(error) from error

    def _deploy(self, stage: Stage, options: dict[str, Any]) -> None:
        built = builder.package_for(stage, options["package"])
        self._tell(f"package {built.digest[:12]}, {built.size / 2**20:.1f} MiB")
        stages.deploy(stage, built, token=options["token"], commit=subprocesses.commit(), tell=self._tell)

    def _status(self, stage: Stage, _options: dict[str, Any]) -> None:
        for name, value in stages.status(stage).items():
            self._tell(f"{name:<13} {value}")

    def _verify(self, stage: Stage, options: dict[str, Any]) -> None:
        stages.verify(stage, options["url"])

    def _rollback(self, stage: Stage, options: dict[str, Any]) -> None:
        stages.rollback(stage, options["to"], tell=self._tell)

    def _undeploy(self, stage: Stage, options: dict[str, Any]) -> None:
        if not options["yes"] and input(f"Type {stage.name} to remove it: ") != stage.name:
            raise CommandError("Nothing was removed.")
        stages.undeploy(stage, tell=self._tell)

    def _manage(self, stage: Stage, options: dict[str, Any]) -> None:
        command = " ".join(options["command"])
        exit_code, output = stages.manage(stage, command)
        self._tell(output)
        if exit_code:
            raise CommandError(f"`{command}` ended with exit code {exit_code}.")

    def _logs(self, stage: Stage, options: dict[str, Any]) -> None:
        self._tell(stages.run_zappa(stage, "tail", "--since", options["since"], "--disable-keep-open"))

    def _tell(self, line: str) -> None:
        self.stdout.write(line)
