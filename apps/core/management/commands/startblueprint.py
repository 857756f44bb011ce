"""`manage.py startblueprint projects`: create an app that works and has tests."""

import keyword
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser, call_command

BLUEPRINT = Path(__file__).resolve().parents[2] / "blueprint"
FOLDERS = {"apps": "app", "tests": "tests"}  # where the parts of an app are, and their templates
# The files that list all apps. The new app is added after the last match of the pattern.
REGISTRATIONS = {
    "moped_api/urls.py": (r'^    route\(".*\),$', '\n    route("{0}/", include("apps.{0}.urls")),'),
    "moped_api/settings.py": (r'^    "apps\.\w+",$', '\n    "apps.{0}",'),
    "pyproject.toml": (r'^    "users \| files[^"\n]*(?=",$)', " | {0}"),
}


class Command(BaseCommand):
    help = "Lay out a new app under apps/ and its tests, and register it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="a plural noun in lower case, such as projects")

    def handle(self, *args: Any, **options: Any) -> None:
        name: str = options["name"]
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name) or find_spec(name):
            raise CommandError(
                f"{name!r} cannot name an app: lower-case letters, digits and _ only, and no module's name."
            )
        texts = {file: _add_app(file, name) for file in REGISTRATIONS}
        _create_folders(name)
        for file, text in texts.items():
            (settings.BASE_DIR / file).write_text(text, encoding="utf-8")
        self.stdout.write(
            f"apps/{name}/ and tests/{name}/ are there, served under /{name}/.\n"
            f"Registered in {', '.join(REGISTRATIONS)}.\n"
            "Put it into the reference: .venv/bin/python manage.py openapi\n"
            f"Try it: .venv/bin/pytest tests/{name}, then http://127.0.0.1:8000/{name}/"
        )


def _add_app(file: str, name: str) -> str:
    """Return the text of a file, with the new app added."""
    pattern, addition = REGISTRATIONS[file]
    text: str = (settings.BASE_DIR / file).read_text(encoding="utf-8")
    ends = [match.end() for match in re.finditer(pattern, text, re.MULTILINE)]
    if not ends:
        raise CommandError(f"{file} has no line to put {addition.format(name).strip()!r} after.")
    return text[: ends[-1]] + addition.format(name) + text[ends[-1] :]


def _create_folders(name: str) -> None:
    folders = {settings.BASE_DIR / kind / name: BLUEPRINT / part for kind, part in FOLDERS.items()}
    for folder in folders:
        if folder.exists():
            raise CommandError(f"{folder.relative_to(settings.BASE_DIR)} is already there.")
    for folder, template in folders.items():
        folder.mkdir()
        call_command("startapp", name, str(folder), template=str(template), verbosity=0)
