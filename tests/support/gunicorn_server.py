"""The API outside of Lambda: gunicorn, and a PostgreSQL that asks for the password of a secret."""

import json
import secrets
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from apps.core.aws import clients
from apps.devstack import processes
from apps.devstack.emulator import free_port
from apps.devstack.environment import PROJECT
from apps.devstack.postgresql import DATABASE, SUPERUSER, Cluster, database_url
from tests.support import environment, password_auth
from tests.support.processes import answers, run_python

LOGIN = "moped"
THREADS = 4
# What a stage with pages has; nothing of the shell that this runs in.
STAGE = {
    **environment.VARIABLES,
    "PATH": "/usr/bin:/bin",
    "DJANGO_SETTINGS_MODULE": "moped_api.settings",
    "MOPED_API_CURRENT_ENVIRONMENT": "served",
    "MOPED_API_EXTRA_APPS": "",
    "MALLOC_ARENA_MAX": "2",  # glibc gives each thread one, and none of them back
}


class Gunicorn(processes.Server):
    """
    gunicorn with the API.

    :param log: the file that gets what it writes
    :param variables: its whole environment
    :param options: of the command line, beside the address
    """

    name = "gunicorn"

    def __init__(self, log: Path, variables: Mapping[str, str], *options: str) -> None:
        self.port = free_port()
        self.log = log
        self._variables = variables
        self._options = options

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [
            *(sys.executable, "-m", "gunicorn", "moped_api.wsgi", "--chdir", str(PROJECT)),
            *("--bind", f"127.0.0.1:{self.port}", "--threads", str(THREADS), *self._options),
        ]
        self._start(command, environment=self._variables)

    @property
    def workers(self) -> list[int]:
        """The processes that answer."""
        assert self._process
        master = self._process.pid
        children = Path(f"/proc/{master}/task/{master}/children")
        return [int(pid) for pid in children.read_text().split()]

    def _is_ready(self) -> bool:
        return answers(f"http://127.0.0.1:{self.port}/health/live")


class Served:
    """
    The API with the tokens of all personas, for as long as the `with` block.

    :param folder: where its PostgreSQL and its log lie
    :param furnished: the variables that name a furnished AWS, to which this process' clients speak
    :param crowd: how many editors there are beside the personas
    """

    def __init__(self, folder: Path, furnished: Mapping[str, str], *, workers: int, crowd: int = 0) -> None:
        self._database = Cluster(folder / "postgresql", durable=False)
        self._secret = f"rds!{secrets.token_hex(8)}"
        self._crowd = crowd
        self._variables = {**STAGE, **furnished, **self._login()}
        self._server = Gunicorn(folder / "gunicorn.log", self._variables, "--workers", str(workers))
        self.port = self._server.port
        self._cleanup = ExitStack()

    def __enter__(self) -> Self:
        """Start everything, and sign all personas in."""
        with self._cleanup:
            self._cleanup.callback(self._database.stop)
            self._database.start()
            password_auth.require_passwords(self._database)
            clients.secrets_manager().create_secret(Name=self._secret)
            self.rotate_password()
            self._python("manage.py", "migrate", "--verbosity=0")
            self.people: dict[str, Any] = json.loads(
                self._python("-m", "tests.rehearsal.personas", str(self._crowd))
            )
            self._cleanup.callback(self._server.stop)
            self._server.start()
            self._cleanup = self._cleanup.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop everything."""
        self._cleanup.close()

    @property
    def workers(self) -> list[int]:
        """The processes that answer."""
        return self._server.workers

    def rotate_password(self) -> None:
        """Change the database's password, in the server and in the secret."""
        password = secrets.token_urlsafe()
        password_auth.set_password(self._database, LOGIN, password)
        clients.secrets_manager().put_secret_value(
            SecretId=self._secret, SecretString=json.dumps({"username": LOGIN, "password": password})
        )

    def cut_connections(self) -> int:
        """End every connection of the API to the database, and return how many there were."""
        import psycopg  # noqa: PLC0415

        url = database_url(self._database.folder, SUPERUSER)
        with psycopg.connect(url) as connection:
            return connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [LOGIN]
            ).rowcount

    def _login(self) -> dict[str, str]:
        where = quote(str(self._database.sockets), safe="")
        return {
            "DATABASE_URL": f"postgresql://{where}/{DATABASE}",
            "MOPED_API_DATABASE_SECRET": self._secret,
        }

    def _python(self, *words: str) -> str:
        run = run_python(*words, environment=self._variables)
        assert run.returncode == 0, run.stderr
        return run.stdout
