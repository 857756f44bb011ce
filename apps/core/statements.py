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
from weakref import WeakSet

from django.db import DataError, connection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection
    from psycopg.pq.abc import PGconn, PGresult

Row = tuple[str | None, ...]
Value = str | int | None


class Answer:
    """What came of a statement; it has no row before its block is over."""

    row: Row | None  # the first, as PostgreSQL writes it, or None if there is none


class Statement:
    """
    A statement that reads, prepared once for each connection.

    :param name: what PostgreSQL remembers it by
    :param text: with `$1`, `$2` …, cast where more may come than the column can hold
    """

    def __init__(self, name: str, text: str) -> None:
        self._name = name.encode()
        self.text = text
        self._prepared_for: WeakSet[Connection] = WeakSet()

    @contextmanager
    def asked(self, *values: Value) -> Iterator[Answer]:
        """
        Ask; then the block does something else, without the database; then have the answer.

        :raises django.db.Error: if there is none to be had. Then the connection is closed, and with
            it a transaction under way: so the next request has one that remembers nothing wrong.
        """
        answer, written = Answer(), [_written(value) for value in values]
        connection.validate_no_broken_transaction()
        with _closing_if_broken():
            libpq = self._send(written)
        try:
            yield answer
        finally:  # in any case, or the connection could ask nothing else
            with _closing_if_broken():
                answer.row = _first_row(_received(libpq))

    def answer(self, *values: Value) -> Row | None:
        """
        Ask and wait.

        :raises django.db.Error: as above
        """
        with self.asked(*values) as answer:
            pass
        return answer.row

    def _send(self, written: list[bytes | None]) -> PGconn:
        psycopg = _connected()
        libpq: PGconn = psycopg.pgconn
        if psycopg.prepare_threshold is None:  # the settings say: nothing is to be prepared
            libpq.send_query_params(self.text.encode(), written)
            return libpq
        if psycopg not in self._prepared_for:
            # Not by SQL's PREPARE, of which a pooler such as PgBouncer learns nothing.
            libpq.send_prepare(self._name, self.text.encode())
            _received(libpq)
            self._prepared_for.add(psycopg)
        libpq.send_query_prepared(self._name, written)
        return libpq


def _connected() -> Connection:
    """Do what Django and psycopg do before every statement."""
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    psycopg: Connection = connection.connection
    if not psycopg.autocommit:
        psycopg.execute("SELECT")  # with its first statement it begins the transaction
    return psycopg


def _written(value: Value) -> bytes | None:
    """Return a value as libpq takes it: up to the first NUL, which must not go unnoticed."""
    if value is None:
        return None
    try:
        written = str(value).encode()
    except UnicodeEncodeError as error:
        raise DataError("a value is no text") from error
    if b"\0" in written:
        raise DataError("PostgreSQL's text cannot hold a NUL")
    return written


@contextmanager
def _closing_if_broken() -> Iterator[None]:
    """Tell errors as Django does; whoever was interrupted cannot know what the connection says next."""
    try:
        with connection.wrap_database_errors:
            yield
    except BaseException:
        connection.close()
        raise


def _received(libpq: PGconn) -> PGresult:
    """Return what PostgreSQL answered, once it is ready for the next statement."""
    from psycopg import OperationalError, errors, pq  # noqa: PLC0415 (imported by whoever has a connection)

    while libpq.flush():
        _wait(libpq, select.POLLIN | select.POLLOUT)
    result = _next_result(libpq)
    while _next_result(libpq):
        pass
    if result is None:
        raise OperationalError("there is no answer")
    if result.status not in {pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK}:
        raise errors.error_from_result(result)
    return result


def _next_result(libpq: PGconn) -> PGresult | None:
    while libpq.is_busy():
        _wait(libpq, select.POLLIN)
    return libpq.get_result()


def _wait(libpq: PGconn, events: int) -> None:
    """Wait as Python does: while libpq waits, no other thread can run."""
    ready = select.poll()
    ready.register(libpq.socket, events)
    ready.poll()
    libpq.consume_input()


def _first_row(result: PGresult) -> Row | None:
    if not result.ntuples:
        return None
    values = (result.get_value(0, column) for column in range(result.nfields))
    return tuple(value if value is None else value.decode() for value in values)
