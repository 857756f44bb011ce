"""`manage.py token --as editor`."""

from typing import Any

from django.core.management import BaseCommand, CommandParser

from apps.core.aws import clients
from apps.devstack import persona_tokens
from apps.devstack.personas import BY_KEY


class Command(BaseCommand):
    help = "Sign in as a persona and print the ID token that the pool issues."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--as", dest="key", choices=list(BY_KEY), default="editor", help="the persona (default: editor)"
        )

    def handle(self, *_args: Any, key: str, **_options: Any) -> None:
        clients.READ_TIMEOUT_SECONDS = max(clients.READ_TIMEOUT_SECONDS, persona_tokens.TIMEOUT_SECONDS)
        self.stdout.write(persona_tokens.id_token(BY_KEY[key]))
