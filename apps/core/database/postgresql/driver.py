"""
psycopg, as Django's backend uses it, with connections that observe the deadline of the request.

A server that is frozen while its kernel still acknowledges ends no time-out of TCP, and psycopg
waits for an answer without limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
)

from apps.core import deadline

if TYPE_CHECKING:
    from psycopg.abc import PQGen

T = TypeVar("T")

__all__ = [
    "DataError",
    "DatabaseError",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "connect",
]

CHECK_SECONDS = 0.1  # psycopg's own interval for noticing an interrupt
# Also at the deadline: enough to roll back on a server that answers.
SHORTEST_WAIT_SECONDS = 1.0


class Connection(psycopg.Connection[Any]):
    """A connection that waits for an answer until the deadline, and is closed if there is none."""

    def wait(self, gen: PQGen[T], interval: float = CHECK_SECONDS, timeout: float | None = None) -> T:
        """
        Wait for PostgreSQL.

        :raises psycopg.OperationalError: at the deadline, or if the server has become a standby
        """
        try:
            return super().wait(gen, interval, timeout if timeout is not None else _seconds_left())
        except psycopg.errors._WaitTimeout as error:  # noqa: SLF001 (psycopg has no other name for it)
            self.close()  # the answer may still come, and would be taken for that to the next query
            raise OperationalError("PostgreSQL did not answer before the deadline") from error
        except psycopg.errors.ReadOnlySqlTransaction as error:
            self.close()  # the next connection reaches the new primary
            raise OperationalError("PostgreSQL is read-only, as after a failover") from error


def _seconds_left() -> float | None:
    remaining = deadline.remaining()
    return None if remaining is None else max(remaining, SHORTEST_WAIT_SECONDS)


connect = Connection.connect
