"""Against a server that asks for passwords, and a Secrets Manager that holds them."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import pytest
from django.conf import settings as configured
from django.db import OperationalError
from pytest_django.fixtures import Settings

from apps.core.aws import clients, secrets
from apps.core.database.postgresql.base import DatabaseWrapper
from apps.devstack.postgresql import Cluster
from tests.support import password_auth
from tests.support.emulator_fixtures import clients_call

pytestmark = [pytest.mark.emulator, pytest.mark.django_db]

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("locked"), durable=False)
    cluster.start()
    password_auth.require_passwords(cluster)
    yield cluster
    cluster.stop()


class Login:
    """A login of a test's own, in the server and in the secret."""

    def __init__(self, server: Cluster) -> None:
        self._server = server
        self.user = f"moped_{uuid4().hex[:8]}"
        self.secret = f"rds!{self.user}"
        clients.secrets_manager().create_secret(Name=self.secret, SecretString="{}")
        self.change("first")
        self.publish("first")

    def change(self, password: str, user: str = "") -> None:
        """Change the password in the server."""
        password_auth.set_password(self._server, user or self.user, password)

    def publish(self, password: str, user: str = "") -> None:
        """Put the password into the secret; RDS says more in it than we ask."""
        self.write(json.dumps({"engine": "postgres", "username": user or self.user, "password": password}))

    def write(self, text: str) -> None:
        """Put a text into the secret."""
        clients.secrets_manager().put_secret_value(SecretId=self.secret, SecretString=text)

    def connection(self, **changed: Any) -> DatabaseWrapper:
        where = {"HOST": str(self._server.sockets), "PORT": "", "NAME": "moped"}
        own = configured.DATABASES["default"] | where | {"USER": "unknown", "PASSWORD": ""}
        return DatabaseWrapper(own | changed, alias="locked")

    def who(self, **changed: Any) -> str:
        """Make a connection, and return whose it is."""
        with closing(self.connection(**changed)) as connection:
            return who(connection)


def who(connection: DatabaseWrapper) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_user")
        return str(cursor.fetchone()[0])


@pytest.fixture
def login(server: Cluster, provisioned_emulator: object, settings: Settings) -> Iterator[Login]:
    secrets.forget()
    login = Login(server)
    settings.DATABASE_SECRET = login.secret
    yield login
    secrets.forget()


class TestDatabaseWrapper:
    def test_finds_a_new_password_while_an_open_connection_goes_on(self, login: Login) -> None:
        with closing(login.connection()) as before:
            assert who(before) == login.user
            login.change("second")
            login.publish("second")

            assert login.who() == login.user
            assert who(before) == login.user

    def test_goes_on_with_the_old_password_while_both_are_good(self, login: Login) -> None:
        assert login.who() == login.user
        other = f"{login.user}_clone"  # a rotation that alternates between two logins
        login.change("second", other)
        login.publish("second", other)

        assert login.who() == login.user
        login.change("gone")
        assert login.who() == other

    def test_is_unavailable_without_a_password(self, login: Login) -> None:
        with clients_call(NOWHERE), pytest.raises(OperationalError, match="cannot be reached"):
            login.who()

    def test_is_unavailable_with_a_wrong_password(self, login: Login) -> None:
        login.change("second")

        with pytest.raises(OperationalError, match="password authentication failed"):
            login.who()

    @pytest.mark.parametrize("content", ["{}", "no JSON", '{"username": "moped"}'])
    def test_is_unavailable_with_an_unusable_secret(self, login: Login, content: str) -> None:
        login.write(content)

        with pytest.raises(OperationalError, match=r"cannot be had.*not set up completely"):
            login.who()

    def test_reads_no_other_password_if_the_server_is_away(
        self, login: Login, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        values = Mock(wraps=secrets.values)
        monkeypatch.setattr(secrets, "values", values)

        with pytest.raises(OperationalError, match="No such file"):
            login.who(HOST="/nowhere")

        values.assert_called_once_with(login.secret, "username", "password", force_refresh=False)
