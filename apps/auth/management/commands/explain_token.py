"""`manage.py explain_token < token.txt`."""

import sys
from typing import Any

from django.core.management import BaseCommand, CommandError

from apps.auth.tokens import explain


class Command(BaseCommand):
    help = "Say why the API accepts or refuses a token. Reads it from standard input."
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        if sys.stdin.isatty():
            self.stderr.write("Paste the token, press Enter, then Ctrl-D.")
        verdict, report = explain.explain(_token_of(sys.stdin.read()))
        self.stdout.write(report)
        if verdict != explain.ACCEPTED:
            raise CommandError("The API refuses this token.")


def _token_of(text: str) -> str:
    """Return the token of a line as one copies it: with its header, its scheme, its quotes, or without."""
    _, _, pasted = f" {text.strip()}".rpartition(" ")
    return pasted.strip("\"'")
