"""
A database backend for Django: PostgreSQL with a login from a secret (ADR 0011).

RDS manages the secret: a JSON object with `username` and `password`. It is read when a connection
is made, and again when a login is refused. So a rotation needs no deployment. Open connections stay
open, and the next one uses the new password.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base

from apps.core import deadline
from apps.core.aws import secrets
from apps.core.errors import UpstreamError

if TYPE_CHECKING:
    from psycopg.abc import PQGen

T = TypeVar("T")

CHECK_SECONDS = 0.1  # psycopg's own interval between checks for an interrupt
# The shortest wait, even at the deadline: enough to roll back on a server that answers.
SHORTEST_WAIT_SECONDS = 1.0

# A kept connection that does not answer in this time is replaced, for example after a failover.
HEALTH_CHECK_SECONDS = 2.0
# psycopg ignores fractions, reads 0 as "no limit" (130 seconds), and waits for at least 2 seconds.
SHORTEST_CONNECT_SECONDS = 2


class Connection(psycopg.Connection[Any]):
    """
    A connection that waits until the deadline of the request, and is closed if no answer has come.

    psycopg itself waits without limit. TCP time-outs do not help if a server is frozen while its kernel
    still acknowledges data.
    """

    def wait(self, gen: PQGen[T], interval: float = CHECK_SECONDS, timeout: float | None = None) -> T:
        """
        Wait for PostgreSQL.

        :raises psycopg.OperationalError: at the deadline, or if the server has become a standby
        """
        try:
            return super().wait(gen, interval, timeout if timeout is not None else _seconds_left())
        except psycopg.errors._WaitTimeout as error:  # noqa: SLF001 (psycopg has no other name for it)
            self.close()  # a late answer would be read as the answer to the next query
            raise psycopg.OperationalError("PostgreSQL did not answer before the deadline") from error
        except psycopg.errors.ReadOnlySqlTransaction as error:
            self.close()  # the next connection reaches the new primary
            raise psycopg.OperationalError("PostgreSQL is read-only, as after a failover") from error


def _seconds_left() -> float | None:
    remaining = deadline.remaining()
    return None if remaining is None else max(remaining, SHORTEST_WAIT_SECONDS)


class DatabaseWrapper(base.DatabaseWrapper):
    """Logs in with the secret of the settings, or as DATABASE_URL says if they name none."""

    # Django expects the module psycopg here, and uses its names.
    Database = SimpleNamespace(**{**vars(psycopg), "connect": Connection.connect})  # type: ignore[assignment]

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """
        Return a connection.

        :raises psycopg.OperationalError: if no connection can be made, or no password can be read
        """
        secret = settings.DATABASE_SECRET
        if not secret:
            return self._connect(conn_params)
        try:
            return self._connect(conn_params | _login(secret))
        except psycopg.OperationalError as error:
            if not _is_refused_login(error):
                raise
        return self._connect(conn_params | _login(secret, force_refresh=True))

    def is_usable(self) -> bool:
        """Return whether the server still answers on this connection."""
        with deadline.limit(HEALTH_CHECK_SECONDS):
            return super().is_usable()

    def _connect(self, conn_params: dict[str, Any]) -> Any:
        remaining = deadline.remaining()
        if remaining is None:
            return super().get_new_connection(conn_params)
        limit = max(min(conn_params["connect_timeout"], int(remaining)), SHORTEST_CONNECT_SECONDS)
        return super().get_new_connection(conn_params | {"connect_timeout": limit})


def _login(secret: str, *, force_refresh: bool = False) -> dict[str, str]:
    try:
        user, password = secrets.values(secret, "username", "password", force_refresh=force_refresh)
    except UpstreamError as error:  # for the caller, the database is unavailable
        raise psycopg.OperationalError(f"the secret {secret} cannot be had: {error}") from error
    return {"user": user, "password": password}


def _is_refused_login(error: psycopg.OperationalError) -> bool:
    """Return whether the server refused the login. It asked for a password, so it was reached."""
    return error.pgconn is not None and error.pgconn.used_password
