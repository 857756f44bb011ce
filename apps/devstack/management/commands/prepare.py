"""`manage.py prepare`: run by `runserver` once the servers are up."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand, call_command

from apps.devstack import accounts
from apps.devstack.personas import PERSONAS


class Command(BaseCommand):
    requires_system_checks = ()
    help = "Migrate the laptop's database and make the personas. What is there already is left as it is."

    def handle(self, *_args: Any, **_options: Any) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        accounts.ensure(PERSONAS)
