"""An emulated AWS and a PostgreSQL for the measured functions, and the four events."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from apps.deployment.paths import PROJECT
from apps.deployment.smoke import event
from apps.devstack.emulator import Emulator, free_port
from apps.devstack.postgresql import Cluster
from tests.support import environment

HOST = "api.example"


class Stage:
    """
    Where everything is.

    :param variables: the environment variables of the function
    :param people: what benchmarks.cold.people prints
    """

    def __init__(self, variables: dict[str, str], people: dict[str, Any]) -> None:
        self.variables = variables
        self._people = people

    def look(self) -> dict[str, Any]:
        """Return the event of `GET /auth/current_user`."""
        return event("/auth/current_user", HOST, self._people["admin_token"])

    def trigger(self) -> dict[str, Any]:
        """Return Cognito's event before it issues a token."""
        return {
            "version": "1",
            "triggerSource": "TokenGeneration_Authentication",
            "userName": self._people["editor_id"],
            "request": {"userAttributes": {"email": self._people["editor"]["email"]}},
            "response": {},
        }

    def upload(self) -> dict[str, Any]:
        """Return the event of `GET /files/request-signature`."""
        query = {"file": ["Plan.pdf"], "project_id": [str(self._people["project_id"])]}
        request = event("/files/request-signature", HOST, self._people["editor_token"])
        return request | {"multiValueQueryStringParameters": query}

    def change(self) -> dict[str, Any]:
        """Return the event of `PUT /users/<id>`."""
        path = f"/users/{self._people['editor_id']}"
        request = event(path, HOST, self._people["admin_token"])
        request["multiValueHeaders"]["Content-Type"] = ["application/json"]
        return request | {"httpMethod": "PUT", "body": json.dumps(self._people["editor"])}


@contextmanager
def running() -> Iterator[Stage]:
    """Start both servers, and make a user pool with two people."""
    with tempfile.TemporaryDirectory(prefix="moped-cold-") as scratch, ExitStack() as cleanup:
        emulator = Emulator(Path(scratch) / "aws", free_port(), durable=False)
        database = Cluster(Path(scratch) / "postgresql", durable=False)
        for server in (emulator, database):
            cleanup.callback(server.stop)
            server.start()
        environment.apply(database.url)
        os.environ |= {"AWS_ENDPOINT_URL": emulator.url, "DJANGO_SETTINGS_MODULE": "moped_api.settings"}
        import django

        django.setup()
        from apps.devstack import provision

        os.environ |= provision.create_resources(8000, emulator.url)
        _python("manage.py", "migrate", "--verbosity=0")
        yield Stage(_variables(), json.loads(_python("-m", "benchmarks.cold.people")))


def _variables() -> dict[str, str]:
    """Return what the function needs of this process's environment."""
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL", "DATABASE_URL")
    names += tuple(name for name in os.environ if name.startswith("COGNITO_"))
    names += ("MOPED_API_CONFIGURATION_SETTINGS", "MOPED_API_UPLOADS_S3_BUCKET")
    own = {"MOPED_API_CURRENT_ENVIRONMENT": "staging", "MOPED_API_ALLOWED_HOSTS": HOST}
    return {name: os.environ[name] for name in names} | own


def _python(*words: str) -> str:
    return subprocess.run(
        [sys.executable, *words], cwd=PROJECT, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
