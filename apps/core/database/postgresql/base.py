"""
PostgreSQL, logged in to with what a secret holds at the time (a backend of Django's, see ADR 0011).

The secret is RDS's own: a JSON object with `username` and `password`. It is read when a connection
is made, and once more when a login is refused: so a rotation needs no deployment, connections that
are open go on, and the next one finds the new password.
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

CHECK_SECONDS = 0.1  # psycopg's own interval for noticing an interrupt
# Also at the deadline: enough to roll back on a server that answers.
SHORTEST_WAIT_SECONDS = 1.0

# A kept connection that does not answer by then is replaced: after a failover, by one to the new server.
HEALTH_CHECK_SECONDS = 2.0
# psycopg drops fractions, takes 0 for "no limit" (130 seconds), and waits for 2 seconds at least.
SHORTEST_CONNECT_SECONDS = 2


class Connection(psycopg.Connection[Any]):
    """
    A connection that waits for an answer until the deadline of the request, and is closed if there is none.

    A server that is frozen while its kernel still acknowledges ends no time-out of TCP, and psycopg waits
    for an answer without limit.
    """

    def wait(self, gen: PQGen[T], interval: float = CHECK_SECONDS, timeout: float | None = None) -> T:
        """
        Wait for PostgreSQL.

        :raises psycopg.OperationalError: at the deadline, or if the server has become a standby
        """
        try:
            return super().wait(gen, interval, timeout if timeout is not None else _seconds_left())
        except psycopg.errors._WaitTimeout as error:  # noqa: SLF001 (psycopg has no other name for it)
            self.close()  # the answer may still come, and would be taken for that to the next query
            raise psycopg.OperationalError("PostgreSQL did not answer before the deadline") from error
        except psycopg.errors.ReadOnlySqlTransaction as error:
            self.close()  # the next connection reaches the new primary
            raise psycopg.OperationalError("PostgreSQL is read-only, as after a failover") from error


def _seconds_left() -> float | None:
    remaining = deadline.remaining()
    return None if remaining is None else max(remaining, SHORTEST_WAIT_SECONDS)


class DatabaseWrapper(base.DatabaseWrapper):
    """Logs in with the secret that the settings name; as DATABASE_URL says where they name none."""

    # Django looks names up in it, as in the module psycopg.
    Database = SimpleNamespace(**{**vars(psycopg), "connect": Connection.connect})  # type: ignore[assignment]

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """
        Return a connection.

        :raises psycopg.OperationalError: if there is none to be had, be it for want of a password
        """
        secret = settings.DATABASE_SECRET
        if not secret:
            return self._connect(conn_params)
        try:
            return self._connect(conn_params | _login(secret))
        except psycopg.OperationalError as error:
            if not _asked_for_a_password(error):
                raise
        return self._connect(conn_params | _login(secret, doubted=True))

    def is_usable(self) -> bool:
        """Return whether the server still answers on this connection."""
        with deadline.within(HEALTH_CHECK_SECONDS):
            return super().is_usable()

    def _connect(self, conn_params: dict[str, Any]) -> Any:
        remaining = deadline.remaining()
        if remaining is None:
            return super().get_new_connection(conn_params)
        limit = max(min(conn_params["connect_timeout"], int(remaining)), SHORTEST_CONNECT_SECONDS)
        return super().get_new_connection(conn_params | {"connect_timeout": limit})


def _login(secret: str, *, doubted: bool = False) -> dict[str, str]:
    try:
        user, password = secrets.values(secret, "username", "password", doubted=doubted)
    except UpstreamError as error:  # for the caller, the database is unavailable
        raise psycopg.OperationalError(f"the secret {secret} cannot be had: {error}") from error
    return {"user": user, "password": password}


def _asked_for_a_password(error: psycopg.OperationalError) -> bool:
    """Tell a refused login from a server that was not reached, without reading the message."""
    return error.pgconn is not None and error.pgconn.used_password
