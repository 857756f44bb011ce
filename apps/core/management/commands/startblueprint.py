"""`manage.py startblueprint projects`: a new app, working and tested."""

from __future__ import annotations

import keyword
import re
import shutil
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser, call_command

BLUEPRINT = Path(__file__).resolve().parents[2] / "blueprint"


class Insertion(NamedTuple):
    """A line that a new app needs in a file of the project, written after the last one like it."""

    file: str
    after: re.Pattern[str]
    line: str


def insertions(name: str) -> tuple[Insertion, ...]:
    """Return the three places that know all apps."""
    return (
        Insertion(
            "moped_api/urls.py",
            re.compile(r'^    route\(".*\),$', re.MULTILINE),
            f'    route("{name}/", include("apps.{name}.urls")),',
        ),
        Insertion(
            "moped_api/settings.py", re.compile(r'^    "apps\.\w+",$', re.MULTILINE), f'    "apps.{name}",'
        ),
        Insertion(
            "pyproject.toml", re.compile(r'^    "users \| files[^"\n]*(?=",$)', re.MULTILINE), f" | {name}"
        ),
    )


class Command(BaseCommand):
    help = "Lay out a new app under apps/ and its tests, and register it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="a plural noun in lower case, such as projects")

    def handle(self, *args: Any, **options: Any) -> None:
        name: str = options["name"]
        app, tests = (settings.BASE_DIR / folder / name for folder in ("apps", "tests"))
        self._refuse_bad_names(name, app, tests)
        edited = {insertion.file: _inserted(insertion) for insertion in insertions(name)}
        _lay_out(name, {app: BLUEPRINT / "app", tests: BLUEPRINT / "tests"})
        for file, text in edited.items():
            (settings.BASE_DIR / file).write_text(text, encoding="utf-8")
        self._tell(name)

    def _refuse_bad_names(self, name: str, *folders: Path) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
            raise CommandError(f"{name!r} cannot name an app: lower-case letters, digits and _ only.")
        for folder in folders:
            if folder.exists():
                raise CommandError(f"{folder.relative_to(settings.BASE_DIR)} is already there.")

    def _tell(self, name: str) -> None:
        self.stdout.write(f"apps/{name}/ and tests/{name}/ are there, served under /{name}/.\nRegistered in:")
        for insertion in insertions(name):
            self.stdout.write(f"  {insertion.file}: {insertion.line.strip(' |')}")
        self.stdout.write("Put it into the reference: .venv/bin/python manage.py openapi")
        self.stdout.write(f"Try it: .venv/bin/pytest tests/{name}, then http://127.0.0.1:8000/{name}/")


def _lay_out(name: str, folders: dict[Path, Path]) -> None:
    try:
        for folder, template in folders.items():
            folder.mkdir()
            call_command("startapp", name, str(folder), template=str(template), verbosity=0)
    except CommandError:  # the name is taken by a module: leave nothing half made
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _inserted(insertion: Insertion) -> str:
    text = (settings.BASE_DIR / insertion.file).read_text(encoding="utf-8")
    places = list(insertion.after.finditer(text))
    if not places:
        raise CommandError(f"{insertion.file} has no line to put {insertion.line.strip()!r} after.")
    end = places[-1].end()
    separator = "" if insertion.line.startswith(" | ") else "\n"
    return f"{text[:end]}{separator}{insertion.line}{text[end:]}"
