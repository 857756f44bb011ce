"""`manage.py prepare`: run by `runserver` once the servers are up."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand, call_command

from apps.devstack import accounts, sample_data
from apps.devstack.personas import PERSONAS

LOST = """The embedded AWS no longer has the accounts of: {addresses}.
Their rows in PostgreSQL are left. `make reset` forgets all data and starts afresh.
"""


class Command(BaseCommand):
    requires_system_checks = ()
    help = "Migrate the laptop's database and make the personas and sample data. Existing data stays."

    def handle(self, *_args: Any, **_options: Any) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        accounts.ensure(PERSONAS)
        sample_data.ensure()
        if lost := accounts.lost_addresses():
            self.stderr.write(LOST.format(addresses=", ".join(lost)))
