"""`manage.py reset`."""

from typing import Any

from django.core.management import BaseCommand

from apps.devstack import supervisor


class Command(BaseCommand):
    help = "Remove the data of the laptop: users, files, rows. The next start makes new data."
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        supervisor.delete_data()
        self.stdout.write("Removed. `make run` makes new data.")
