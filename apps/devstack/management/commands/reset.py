"""`manage.py reset`."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand

from apps.devstack import servers


class Command(BaseCommand):
    help = "Forget the laptop's world: users, files, rows. The next start makes a new one."
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        servers.forget()
        self.stdout.write("Forgotten. `make run` makes a new world.")
