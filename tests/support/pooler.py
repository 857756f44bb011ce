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
from tests.support.waiting import LIMIT_SECONDS

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


@contextmanager
def pgbouncer(cluster: Cluster, folder: Path, *roles: str) -> Iterator[str]:
    """
    Start PgBouncer, and return where it listens as a URL has it.

    :param roles: the database roles that may log in
    """
    program = shutil.which("pgbouncer", path=SYSTEM_FOLDERS)
    assert program, "These tests need PgBouncer: `make pooler` installs it, as does your system's installer."
    (folder / "pgbouncer.ini").write_text(CONFIGURATION.format(server=cluster.sockets, folder=folder))
    (folder / "users.txt").write_text("".join(f'"{role}" ""\n' for role in roles))
    log = folder / "pgbouncer.log"
    process = processes.start(
        [program, folder / "pgbouncer.ini"], end_with=signal.SIGINT, log=log, unprivileged=[folder]
    )
    try:
        assert processes.wait_until(
            lambda: b"process up" in log.read_bytes(), process=process, seconds=LIMIT_SECONDS
        ), log.read_text()
        yield f"{quote(str(folder), safe='')}:6432"
    finally:
        processes.stop(process, signal.SIGINT)
