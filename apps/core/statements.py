"""
Statements that are asked before something else is done and answered after it.

Django and psycopg wait for each answer. libpq need not: it sends, lets go, and is asked for the
answer later (https://www.postgresql.org/docs/current/libpq-async.html). So PostgreSQL looks up what
a request must know while we compute what it needs anyway. To build and plan such a statement anew
would take longer than all of that, so it is written out and prepared.
"""

from __future__ import annotations

import select
from contextlib import contextmanager
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection
    from psycopg.pq.abc import PGconn, PGresult

Row = tuple[str | None, ...]


class Answer:
    """What came of a statement, once its block is over."""

    row: Row | None = None  # the first, as PostgreSQL writes it, or None if there is none


class Statement:
    """
    A statement that reads, prepared once for each connection.

    :param name: what PostgreSQL remembers it by
    :param text: with `$1`, `$2` …, cast where more may come than the column can hold
    """

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self._prepared_for: WeakKeyDictionary[Connection, bytes] = WeakKeyDictionary()

    @contextmanager
    def asked(self, *values: str | int | None) -> Iterator[Answer]:
        """
        Ask; then the block does something else, without the database; then have the answer.

        :raises django.db.Error: if there is none to be had; then the connection is closed
        """
        answer = Answer()
        with _closing_if_broken():
            libpq = self._send(values)
        try:
            yield answer
        finally:  # in any case, or the connection could ask nothing else
            with _closing_if_broken():
                answer.row = _received(libpq)

    def answer(self, *values: str | int | None) -> Row | None:
        """
        Ask and wait.

        :raises django.db.Error: if there is no answer to be had; then the connection is closed
        """
        with self.asked(*values) as answer:
            pass
        return answer.row

    def _send(self, values: tuple[str | int | None, ...]) -> PGconn:
        # What Django does before every statement.
        connection.close_if_health_check_failed()
        connection.ensure_connection()
        psycopg, written = connection.connection, [_written(value) for value in values]
        if psycopg.prepare_threshold is None:  # the settings say: nothing is to be prepared
            psycopg.pgconn.send_query_params(self.text.encode(), written)
        else:
            name = self._prepared_for.get(psycopg) or self._prepare(psycopg)
            psycopg.pgconn.send_query_prepared(name, written)
        return psycopg.pgconn  # type: ignore[no-any-return]

    def _prepare(self, psycopg: Connection) -> bytes:
        psycopg.execute(f"PREPARE {self.name} AS {self.text}")
        name = self._prepared_for[psycopg] = self.name.encode()
        return name


def _written(value: str | int | None) -> bytes | None:
    return None if value is None else str(value).encode()


@contextmanager
def _closing_if_broken() -> Iterator[None]:
    """Tell errors as Django does; whoever was interrupted cannot know what the connection says next."""
    try:
        with connection.wrap_database_errors:
            yield
    except BaseException:
        connection.close()
        raise


def _received(libpq: PGconn) -> Row | None:
    result = _next_result(libpq)
    while _next_result(libpq):
        pass
    return _first_row(result)


def _next_result(libpq: PGconn) -> PGresult | None:
    while libpq.is_busy():
        # Not libpq's own waiting, during which no other thread could run.
        readable = select.poll()
        readable.register(libpq.socket, select.POLLIN)
        readable.poll()
        libpq.consume_input()
    return libpq.get_result()


def _first_row(result: PGresult | None) -> Row | None:
    from psycopg import OperationalError, errors, pq  # noqa: PLC0415 (imported by whoever has a connection)

    if result is None:
        raise OperationalError("there is no answer")
    if result.status != pq.ExecStatus.TUPLES_OK:
        raise errors.error_from_result(result)
    if not result.ntuples:
        return None
    values = (result.get_value(0, column) for column in range(result.nfields))
    return tuple(value if value is None else value.decode() for value in values)
