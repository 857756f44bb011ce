"""`manage.py openapi`: write the reference that is committed as openapi.yaml."""

from io import StringIO
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser, call_command

FILE = "openapi.yaml"


class Command(BaseCommand):
    help = "Write openapi.yaml from the code, or check that it is what the code says."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; fail if it would change")

    def handle(self, *args: Any, **options: Any) -> None:
        path, document = settings.BASE_DIR / FILE, StringIO()
        call_command("spectacular", stdout=document, validate=True, fail_on_warn=True)
        if not options["check"]:
            path.write_text(document.getvalue(), encoding="utf-8")
            self.stdout.write(f"{FILE} is what the code says.")
        elif path.read_text(encoding="utf-8") != document.getvalue():
            raise CommandError(f"{FILE} is not what the code says: run `manage.py openapi` and commit it.")
