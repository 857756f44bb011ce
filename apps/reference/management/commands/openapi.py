"""`manage.py openapi`: write the reference that is committed as openapi.yaml."""

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, call_command


class Command(BaseCommand):
    help = "Write openapi.yaml from the code."

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.BASE_DIR / "openapi.yaml"
        call_command("spectacular", file=str(path), validate=True, fail_on_warn=True)
        self.stdout.write("openapi.yaml is what the code says.")
