"""Servers that are frozen, only accept connections, or became a standby after a failover."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from unittest.mock import Mock

import psycopg
import pytest
from django.conf import settings as configured
from django.db import OperationalError, connection, transaction
from pytest_django.fixtures import Settings

from apps.core import deadline
from apps.files.models import Project
from tests.conftest import Caller
from tests.support.http_stub import StubServer, hanging

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def frozen_backend() -> Iterator[None]:
    """Freeze the server's process of this connection: its kernel acknowledges, and no answer ever comes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = int(cursor.fetchone()[0])
    os.kill(backend, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(backend, signal.SIGCONT)
        connection.close()


class TestFrozenBackend:
    def test_ends_a_query_at_the_deadline(self) -> None:
        with frozen_backend(), deadline.limit(0.05):
            with pytest.raises(OperationalError, match="before the deadline"):
                Project.objects.count()
            assert connection.connection.closed

    def test_ends_a_commit_at_the_deadline(self) -> None:
        with (
            pytest.raises(OperationalError),
            transaction.atomic(),
            frozen_backend(),
            deadline.limit(0.05),
        ):
            Project.objects.create(project_name="Barton Springs Road")
        assert not Project.objects.exists()

    def test_is_replaced_when_the_kept_connection_is_checked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("apps.core.database.postgresql.base.HEALTH_CHECK_SECONDS", 0.05)
        with frozen_backend():
            connection.close_if_unusable_or_obsolete()  # as at the beginning of a request
            assert Project.objects.count() == 0

    def test_answers_503_and_then_serves_again(self, calling: Caller, settings: Settings) -> None:
        client = calling()
        assert client.get("/users/").status_code == 200  # the keys of the pool are known from here on
        settings.REQUEST_SECONDS = 0.05
        with frozen_backend():
            response = client.get("/users/")
        assert response.status_code == 503
        assert response.json()["code"] == "unavailable"
        assert response["Retry-After"]

        settings.REQUEST_SECONDS = 600
        assert client.get("/users/").status_code == 200


class TestStandby:
    @pytest.mark.parametrize("block", [transaction.atomic, nullcontext])
    def test_refuses_writes_until_the_next_connection(
        self, block: Callable[[], AbstractContextManager[object]]
    ) -> None:
        with connection.cursor() as cursor:  # of this connection alone: the next one reaches the primary
            cursor.execute("SET default_transaction_read_only = on")

        with pytest.raises(OperationalError, match="read-only"), block():
            Project.objects.create(project_name="Barton Springs Road")

        connection.close_if_unusable_or_obsolete()  # as at the beginning of a request
        assert Project.objects.create(project_name="Barton Springs Road").pk


class TestConnecting:
    def test_ends_with_a_server_that_only_accepts(self) -> None:
        other = connection.copy()
        with StubServer(hanging) as server, deadline.limit(2):
            other.settings_dict |= {"HOST": "127.0.0.1", "PORT": server.url.rpartition(":")[2]}
            with pytest.raises(OperationalError):
                other.ensure_connection()

    @pytest.mark.parametrize("seconds_left", [0, 0.99, 1.99])
    def test_has_psycopgs_shortest_limit_in_the_last_second(
        self, monkeypatch: pytest.MonkeyPatch, seconds_left: float
    ) -> None:
        wait = Mock(side_effect=psycopg.errors.ConnectionTimeout)
        monkeypatch.setattr("psycopg.waiting.wait_conn", wait)
        monkeypatch.setattr("apps.core.deadline.remaining", lambda: seconds_left)

        with pytest.raises(OperationalError):
            connection.copy().ensure_connection()
        assert {call.kwargs["timeout"] for call in wait.call_args_list} == {2}

    def test_ends_where_the_network_acknowledges_nothing(self) -> None:
        assert 0 < configured.DATABASES["default"]["OPTIONS"]["tcp_user_timeout"] < 20_000
        connection.ensure_connection()
        assert connection.connection.info.get_parameters()["tcp_user_timeout"] == "10000"
