"""The laptop's servers: PostgreSQL and the embedded AWS, one of each to a folder."""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from apps.core.aws import clients
from apps.core.errors import MopedError
from apps.devstack import environment, postgresql, provision
from apps.devstack.emulator import Emulator, free_port
from apps.devstack.errors import DevstackError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self


class DevServers:
    """
    Servers that live as long as the `with` block, or the process, whichever ends first.

    :param api_port: where the API will listen: the pool sends browsers back there
    """

    def __init__(self, api_port: int) -> None:
        self._api_port = api_port
        self._cleanup = ExitStack()

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
        cluster = postgresql.Cluster(environment.POSTGRESQL)
        self._cleanup.callback(cluster.stop)
        cluster.start()
        emulator = Emulator(environment.FOLDER / "aws", free_port(_remembered_port()))
        self._cleanup.callback(emulator.stop)
        emulator.start()
        # Known before it is furnished: what furnishes it speaks to it.
        environment.publish({**environment.read_world(), "AWS_ENDPOINT_URL": emulator.url})
        clients.forget_clients()
        environment.publish(_furnished(provision.Endpoints(self._api_port, emulator.url)))


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
