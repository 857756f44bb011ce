"""
PostgreSQL, logged in to with what a secret holds at the time (a backend of Django's, see ADR 0011).

The secret is RDS's own: a JSON object with `username` and `password`. It is read when a connection
is made, and once more when a login is refused: so a rotation needs no deployment, connections that
are open go on, and the next one finds the new password.
"""

from __future__ import annotations

from typing import Any

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base

from apps.core import secrets
from apps.core.errors import UpstreamError


class DatabaseWrapper(base.DatabaseWrapper):
    """Logs in with the secret that the settings name; as DATABASE_URL says where they name none."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """
        Return a connection.

        :raises psycopg.OperationalError: if there is none to be had, be it for want of a password
        """
        secret = settings.DATABASE_SECRET
        if not secret:
            return super().get_new_connection(conn_params)
        try:
            return super().get_new_connection(conn_params | _login(secret))
        except psycopg.OperationalError as error:
            if not _asked_for_a_password(error):
                raise
        return super().get_new_connection(conn_params | _login(secret, doubted=True))


def _login(secret: str, *, doubted: bool = False) -> dict[str, str]:
    try:
        user, password = secrets.values(secret, "username", "password", doubted=doubted)
    except UpstreamError as error:  # to whoever wants a connection, the database is away
        raise psycopg.OperationalError(f"the secret {secret} cannot be had: {error}") from error
    return {"user": user, "password": password}


def _asked_for_a_password(error: psycopg.OperationalError) -> bool:
    """Tell a login that was refused from a server that was not reached, in whatever language it speaks."""
    return error.pgconn is not None and error.pgconn.used_password
