"""The right to read the database's secret: enough to log in, and for no other secret."""

import boto3
import pytest
from django.db import OperationalError
from pytest_django.fixtures import Settings

from apps.core.aws import secrets
from apps.devstack.postgresql import Cluster
from tests.core.database.test_postgresql import Login, login, server
from tests.deployment.role import Role
from tests.deployment.template import resources

pytestmark = [pytest.mark.emulator, pytest.mark.django_db]
__all__ = ["login", "server"]

POLICY = "DatabaseCredentials"


def made_for(secret: str) -> Role:
    """Return a role with what the template gives the function's for this secret, and nothing else."""
    (statement,) = resources()[POLICY]["Properties"]["PolicyDocument"]["Statement"]
    arn = boto3.client("secretsmanager").describe_secret(SecretId=secret)["ARN"]
    return Role(rights=[{**statement, "Resource": arn}])


class TestDatabaseCredentials:
    def test_are_enough_to_log_in(self, login: Login) -> None:
        with made_for(login.secret).worn():
            assert login.who() == login.user

    def test_open_no_other_secret(self, login: Login, server: Cluster, settings: Settings) -> None:
        other = Login(server)
        other.publish("first")
        settings.DATABASE_SECRET = other.secret
        role = made_for(login.secret)
        secrets.forget()

        with role.worn(), pytest.raises(OperationalError, match="cannot be had"):
            other.who()
