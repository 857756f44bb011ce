"""`manage.py openapi`: write the reference that is committed as openapi.yaml."""

from __future__ import annotations

import contextlib
import io
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser, call_command

FILE = "openapi.yaml"


class Command(BaseCommand):
    help = "Write openapi.yaml from the code, or check that it is what the code says."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; fail if it would change")

    def handle(self, *args: Any, **options: Any) -> None:
        text, path = _generated(), settings.BASE_DIR / FILE
        if not options["check"]:
            path.write_text(text, encoding="utf-8")
            self.stdout.write(f"{FILE} is what the code says.")
        elif path.read_text(encoding="utf-8") != text:
            raise CommandError(f"{FILE} is not what the code says: run `manage.py openapi` and commit it.")


def _generated() -> str:
    """
    Return the document as YAML.

    :raises CommandError: on any warning of the generator
    """
    out, warnings = io.StringIO(), io.StringIO()
    with contextlib.redirect_stderr(warnings):
        call_command("spectacular", stdout=out, validate=True, fail_on_warn=False)
    if "Warning" in warnings.getvalue() or "Error" in warnings.getvalue():
        raise CommandError(warnings.getvalue())
    return out.getvalue()
