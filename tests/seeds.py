"""
What the migrations sowed, sown again whenever a test has emptied the database.

A test whose commits are real leaves every table empty behind it, and which worker runs what after
it is decided while the tests run. So the seeds are there for every test, in whatever order.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.db.models.signals import post_migrate
from django.dispatch import receiver

from apps.files.models import FileType
from apps.users.models import MopedWorkgroup

if TYPE_CHECKING:
    from django.apps import AppConfig

workgroups = import_module("apps.users.migrations.0002_seed_workgroups")
file_types = import_module("apps.files.migrations.0002_file_types")


@receiver(post_migrate)
def sow(*, sender: AppConfig, plan: object = None, **_: Any) -> None:
    """Sow after a `flush`, which sends the signal of `migrate` without a plan."""
    if plan is None and sender.label == "users":
        MopedWorkgroup.objects.bulk_create(
            MopedWorkgroup(pk=number, workgroup_name=name, is_deleted=number in workgroups.MERGED_INTO_OTHERS)
            for number, name in enumerate(workgroups.WORKGROUPS, start=1)
        )
        FileType.objects.bulk_create(
            FileType(pk=number, name=name, slug=name.lower().replace(" ", "_"))
            for number, name in enumerate(file_types.NAMES, start=1)
        )
