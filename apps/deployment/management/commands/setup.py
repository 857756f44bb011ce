"""`manage.py setup`. An administrator of the AWS account runs it once for each stage (docs/operations.md)."""

import getpass
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.core.errors import UpstreamError
from apps.deployment import account_setup
from apps.deployment.errors import as_stage_error
from apps.deployment.settings import rendering


class Command(BaseCommand):
    help = "Set a stage up in an AWS account (docs/operations.md). Every step can be repeated."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--overlay", **rendering.OVERLAY)
        steps = parser.add_subparsers(dest="step", required=True, metavar="STEP")
        stack = steps.add_parser("stack", help="create or update the stack from infrastructure/<stage>.json")
        stack.add_argument("stage")
        stack.add_argument("--parameters", type=Path, help="another parameter file")
        stack.add_argument(
            "--trigger", choices=("on", "off"), default="", help="whether the pool calls our trigger"
        )
        secrets = steps.add_parser("secrets", help="fill the secrets that are empty")
        secrets.add_argument("stage")
        admin = steps.add_parser("admin", help="create the first admin; asks for the password")
        admin.add_argument("stage")
        admin.add_argument("email")
        admin.add_argument("name", nargs="+", help="first names, then one last name")
        host = steps.add_parser("host", help="let the stage answer under one of its host names")
        host.add_argument("stage")
        host.add_argument("host")
        host.add_argument("certificate", help="the ARN of its certificate in ACM")

    def handle(self, *, step: str, stage: str, **options: Any) -> None:
        try:
            getattr(self, f"_{step}")(stage, options)
        except UpstreamError as error:
            raise as_stage_error(error) from error

    def _stack(self, stage: str, options: dict[str, Any]) -> None:
        account_setup.deploy_stack(stage, options["parameters"], options["trigger"], self.stdout.write)

    def _secrets(self, stage: str, _options: dict[str, Any]) -> None:
        account_setup.fill_secrets(stage, self.stdout.write)

    def _admin(self, stage: str, options: dict[str, Any]) -> None:
        rendered = rendering.render(stage, changes=options["overlay"])
        email = options["email"]
        prompt = f"Password for {email}: "
        password = getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        account_setup.create_first_admin(rendered, email, options["name"], password, self.stdout.write)

    def _host(self, stage: str, options: dict[str, Any]) -> None:
        rendered = rendering.render(stage, changes=options["overlay"])
        account_setup.map_host(rendered, options["host"], options["certificate"], self.stdout.write)
