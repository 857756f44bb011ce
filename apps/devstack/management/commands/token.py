"""`manage.py token --as editor`."""

import json
from typing import Any

from django.core.management import BaseCommand, CommandParser
from jose import jwt

from apps.auth.tokens import explain
from apps.devstack import persona_tokens
from apps.devstack.personas import BY_KEY


class Command(BaseCommand):
    help = "Sign in as a persona and print the ID token that the pool issues."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--as", dest="key", choices=list(BY_KEY), default="editor", help="the persona (default: editor)"
        )
        parser.add_argument(
            "--decode", action="store_true", help="show header, claims and the verdict instead"
        )

    def handle(self, *_args: Any, key: str, decode: bool, **_options: Any) -> None:
        token = persona_tokens.id_token(BY_KEY[key])
        self.stdout.write(_decoded(token) if decode else token)
        if decode:  # beside the JSON, so that it can still be piped into a program
            self.stderr.write(explain.explain(token)[1])


def _decoded(token: str) -> str:
    parts = {"header": jwt.get_unverified_header(token), "claims": jwt.get_unverified_claims(token)}
    return json.dumps(parts, indent=2)
