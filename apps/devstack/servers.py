"""
The laptop's servers: PostgreSQL and the embedded AWS, one of each for a folder.

A thread for each server starts it again when it ends by itself. What it confirmed is on the disk by then:
PostgreSQL's way anyhow, and the launcher's of the embedded AWS (`with_saved_changes`).
"""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from apps.core.aws import clients
from apps.core.errors import MopedError
from apps.devstack import environment, postgresql, pre_token_function, processes, provision
from apps.devstack.emulator import Emulator, free_port
from apps.devstack.errors import DevstackError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Self

    from apps.devstack.processes import Server


class DevServers:
    """
    Servers that live as long as the `with` block, or the process, whichever ends first.

    :param api_port: where the API will listen: the pool sends browsers back there
    :param tell: how the developer learns what happens, one sentence at a time
    """

    def __init__(self, api_port: int, tell: Callable[[str], object]) -> None:
        self._api_port = api_port
        self._tell = tell
        self._cleanup = ExitStack()
        self._stopping = threading.Event()
        self._restarting = threading.Lock()

    def __enter__(self) -> Self:
        """
        Start the servers, furnish them and publish where they are.

        :raises DevstackError: if they already run, or do not come up
        """
        with self._cleanup:
            self._start()
            self._cleanup = self._cleanup.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop the servers; what they hold is kept."""
        self._cleanup.close()

    def _start(self) -> None:
        _refuse_another_aws()
        self._cleanup.enter_context(_Lock(environment.FOLDER))
        emulator = Emulator(environment.FOLDER / "aws", free_port(_remembered_port()))
        for server in (postgresql.Cluster(environment.POSTGRESQL), emulator):
            self._tell(f"Starting {server.name} …")
            self._cleanup.callback(server.stop)
            self._cleanup.callback(self._stop_restarting)
            server.start()
            threading.Thread(target=self._keep_running, args=(server,), daemon=True).start()
        # Known before it is furnished: what furnishes it speaks to it.
        environment.publish({**environment.read_world(), "AWS_ENDPOINT_URL": emulator.url})
        clients.forget_clients()
        self._tell("Making the user pool, its sign-in trigger, the table and the bucket …")
        environment.publish(_furnished(provision.Endpoints(self._api_port, emulator.url)))

    def _stop_restarting(self) -> None:
        with self._restarting:
            self._stopping.set()

    def _keep_running(self, server: Server) -> None:
        # Linux ends a server with the thread that started it; this one lives as long as the process.
        while True:
            server.wait()
            with self._restarting:
                if self._stopping.is_set():
                    return
                self._tell(f"Restarting {server.name}, which ended: {processes.last_line(server.log)}")
                try:
                    server.start()
                except DevstackError as error:
                    self._tell(f"{error} Stop with Ctrl-C and start again; `make reset` forgets all data.")
                    return
            if isinstance(server, Emulator):
                pre_token_function.warm()
            self._tell(f"Restarted {server.name} with its data.")


def _furnished(site: provision.Endpoints) -> dict[str, str]:
    try:
        return provision.furnish(site)
    except MopedError as error:
        raise DevstackError(f"The embedded AWS could not be furnished: {error.__cause__ or error}") from error


def forget() -> None:
    """
    Remove everything the servers hold.

    :raises DevstackError: while they run
    """
    with _Lock(environment.FOLDER):
        shutil.rmtree(postgresql.socket_folder(environment.POSTGRESQL), ignore_errors=True)
        shutil.rmtree(environment.FOLDER)


class _Lock:
    """Held by the process that runs the servers of a folder. The kernel releases it with the process."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = (folder / "lock").open("a+")

    def __enter__(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            holder = self._file.read()
            self._file.close()
            raise DevstackError(
                f"The API already runs in this folder (process {holder}). Stop it there first."
            ) from None
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def __exit__(self, *_error: object) -> None:
        self._file.close()


def _remembered_port() -> int:
    # The port is part of what a browser and a presigned URL remember.
    url = environment.read_world().get("AWS_ENDPOINT_URL", environment.EMULATOR_URL)
    return urlsplit(url).port or environment.EMULATOR_PORT


def _refuse_another_aws() -> None:
    if not environment.is_supplied("AWS_ENDPOINT_URL"):
        raise DevstackError(
            "AWS_ENDPOINT_URL is set, in this shell or in .env, but `make run` brings its own AWS: unset it."
        )
