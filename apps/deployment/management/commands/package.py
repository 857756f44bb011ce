"""`manage.py package`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.deployment.package import builder


class Command(BaseCommand):
    help = "Build the package that Lambda runs, the same bytes from the same sources."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "requirements",
            nargs="?",
            default="production",
            choices=["production", "staging"],
            help="what stands in it: staging's can show pages to browsers",
        )

    def handle(self, *, requirements: str, **_options: Any) -> None:
        built = builder.build(requirements)
        self.stdout.write(f"{built.path}  {built.size / 2**20:.1f} MiB  sha256 {built.digest}")
