"""
What the migrations sowed, sown again whenever a test has emptied the database.

A test whose commits are real leaves every table empty behind it, and which worker runs what after
it is decided while the tests run. So the seeds are there for every test, in whatever order.
"""

from importlib import import_module
from typing import Any

from django.apps import AppConfig, apps
from django.core.management.color import no_style
from django.db import connection
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from apps.files.models import FileType
from apps.users.models import MopedWorkgroup

MIGRATIONS = [
    import_module(name)
    for name in ("apps.users.migrations.0002_seed_workgroups", "apps.files.migrations.0002_file_types")
]


@receiver(post_migrate)
def sow(*, sender: AppConfig, plan: object = None, **_: Any) -> None:
    """Sow after a `flush`, which sends the signal of `migrate` without a plan."""
    if plan is not None or sender.label != "users":
        return
    with connection.schema_editor() as editor:
        # As in tables that were just made: ids begin with 1.
        for statement in connection.ops.sequence_reset_sql(no_style(), [MopedWorkgroup, FileType]):
            editor.execute(statement)
        for migration in MIGRATIONS:
            migration.seed(apps, editor)
