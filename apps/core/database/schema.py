"""The schema of our own tables. Every start imports this, so it must not import psycopg."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import connections


def create_app_schema(using: str = "default", **_signal: Any) -> None:
    """Create our schema before the first migration, so that `django_migrations` lands in it too."""
    with connections[using].cursor() as cursor:
        # Asked first: an operator who may not create schemas need not, once there is one.
        cursor.execute("SELECT to_regnamespace(%s)", [settings.OWN_SCHEMA])
        if cursor.fetchone() == (None,):
            cursor.execute(f'CREATE SCHEMA "{settings.OWN_SCHEMA}"')
