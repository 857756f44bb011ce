"""PgBouncer in transaction mode before a PostgreSQL of the tests."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from apps.devstack import processes
from apps.devstack.postgresql import Cluster

# It shares two server connections in turn, so each transaction has another one than the last.
CONFIGURATION = """
[databases]
* = host={server}

[pgbouncer]
unix_socket_dir = {folder}
auth_type = trust
auth_file = {folder}/users.txt
pool_mode = transaction
default_pool_size = 2
server_round_robin = 1
"""
SYSTEM_FOLDERS = f"{os.environ['PATH']}:/usr/sbin"  # where Debian has it


class Pooler(processes.Server):
    """PgBouncer with a folder that holds its configuration."""

    name = "PgBouncer"
    stop_signal = signal.SIGINT
    ready = b"process up"

    def __init__(self, folder: Path) -> None:
        self.log = folder / "pgbouncer.log"
        self._folder = folder

    def start(self) -> None:
        """Start it and wait until it answers."""
        program = shutil.which("pgbouncer", path=SYSTEM_FOLDERS)
        assert program, "These tests need PgBouncer, which `make pooler` installs."
        self._start([program, self._folder / "pgbouncer.ini"], unprivileged=[self._folder])


@contextmanager
def pgbouncer(cluster: Cluster, folder: Path, *roles: str) -> Iterator[str]:
    """
    Start PgBouncer, and return where it listens as a URL has it.

    :param roles: the database roles that may log in
    """
    (folder / "pgbouncer.ini").write_text(CONFIGURATION.format(server=cluster.sockets, folder=folder))
    (folder / "users.txt").write_text("".join(f'"{role}" ""\n' for role in roles))
    server = Pooler(folder)
    server.start()
    try:
        yield f"{quote(str(folder), safe='')}:6432"
    finally:
        server.stop()
