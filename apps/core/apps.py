"""The core app, and the preparation of a database for migrations. Must not import psycopg."""

from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.models.signals import pre_migrate


class CoreConfig(AppConfig):
    """The code that all apps share."""

    name = "apps.core"
    label = "moped_core"

    def ready(self) -> None:
        """Let migrations check the session and create the schema before they begin."""
        pre_migrate.connect(require_session_parameters, dispatch_uid="moped_api_session")
        pre_migrate.connect(create_app_schema, dispatch_uid="moped_api_schema")


def create_app_schema(using: str = "default", **_signal: Any) -> None:
    """Create our schema before the first migration, so that it gets the table `django_migrations` too."""
    with connections[using].cursor() as cursor:
        # An operator without the right to create schemas can migrate once the schema exists.
        cursor.execute("SELECT to_regnamespace(%s)", [settings.OWN_SCHEMA])
        if cursor.fetchone() == (None,):
            cursor.execute(f'CREATE SCHEMA "{settings.OWN_SCHEMA}"')


def require_session_parameters(using: str = "default", **_signal: Any) -> None:
    """
    Check that the session has the parameters, which a pooler cannot pass on.

    :raises ImproperlyConfigured: with the names of the missing ones
    """
    parameters = settings.DATABASE_SESSION
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT name, current_setting(name) FROM unnest(%s::text[]) AS name", [[*parameters]])
        present = dict(cursor.fetchall())
    missing = [name for name, value in parameters.items() if present[name].replace(" ", "") != value]
    if missing:
        raise ImproperlyConfigured(
            f"The role that logs in to PostgreSQL lacks {', '.join(missing)}."
            " Execute the ALTER ROLE statements of docs/database.md."
        )
