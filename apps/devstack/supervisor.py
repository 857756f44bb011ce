"""
Starts, provisions and restarts the laptop's servers: PostgreSQL and the embedded AWS.

A thread for each server restarts it when it ends by itself. What it confirmed is on the disk by then:
PostgreSQL works so, and the launcher of the embedded AWS does too (`with_saved_changes`).
"""

import fcntl
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from urllib.parse import urlsplit

from django.conf import settings

from apps.core.aws import clients
from apps.core.errors import MopedError
from apps.devstack import environment, postgresql, pre_token_function, processes, provision
from apps.devstack.emulator import Emulator, free_port
from apps.devstack.errors import DevstackError

AWS = environment.FOLDER / "aws"


@contextmanager
def running(api_port: int, tell: Callable[[str], object]) -> Iterator[None]:
    """
    Start the servers, provision them and publish their addresses. Stop them at the end, with their data kept.

    :param api_port: where the API will listen: the pool sends browsers back there
    :param tell: shows the developer what happens, one sentence at a time
    :raises DevstackError: if they already run, or do not come up
    """
    if not environment.is_supplied("AWS_ENDPOINT_URL"):
        raise DevstackError(
            "AWS_ENDPOINT_URL is set, in this shell or in .env, but `make run` brings its own AWS: unset it."
        )
    # On the last port, if it is free: browsers and presigned URLs remember it.
    emulator = Emulator(AWS, free_port(urlsplit(settings.AWS_ENDPOINT_URL).port or 0))
    both = (postgresql.Cluster(environment.POSTGRESQL), emulator)
    restarting = threading.Lock()
    with ExitStack() as cleanup:
        cleanup.enter_context(_folder_lock())
        for server in both:
            tell(f"Starting {server.name} …")
            cleanup.callback(server.stop)
            server.start()
        cleanup.callback(restarting.acquire)  # from then on, no server is restarted
        for server in both:
            threading.Thread(target=_keep_running, args=(server, restarting, tell), daemon=True).start()
        # Published before it is provisioned: the clients that provision it need its address.
        environment.publish({**environment.read_published(), "AWS_ENDPOINT_URL": emulator.url})
        clients.forget_clients()
        tell("Making the user pool, its sign-in trigger, the table and the bucket …")
        environment.publish(_provision(api_port, emulator.url))
        yield


def forget() -> None:
    """
    Remove the data of the servers.

    :raises DevstackError: while they run
    """
    with _folder_lock():
        for folder in {postgresql.socket_folder(environment.POSTGRESQL), environment.POSTGRESQL, AWS}:
            if folder.exists():
                shutil.rmtree(folder)
        environment.PUBLISHED.unlink(missing_ok=True)


def _keep_running(
    server: postgresql.Cluster | Emulator, restarting: threading.Lock, tell: Callable[[str], object]
) -> None:
    # Linux ends a server with the thread that started it. This one lives as long as the process.
    while True:
        server.wait()
        with restarting:
            tell(f"Restarting {server.name}, which ended: {processes.last_line(server.log)}")
            try:
                server.start()
            except DevstackError as error:
                tell(f"{error} Stop with Ctrl-C and start again; `make reset` forgets all data.")
                return
        if isinstance(server, Emulator):
            with suppress(MopedError):  # the first sign-in is slow then
                pre_token_function.warm()
        tell(f"Restarted {server.name} with its data.")


def _provision(api_port: int, aws_url: str) -> dict[str, str]:
    try:
        return provision.create_resources(api_port, aws_url)
    except MopedError as error:
        raise DevstackError(f"Cannot provision the embedded AWS: {error.__cause__ or error}") from error


@contextmanager
def _folder_lock() -> Iterator[None]:
    """Be the only process with the servers of the folder. The kernel releases the lock with the process."""
    environment.FOLDER.mkdir(parents=True, exist_ok=True)
    with (environment.FOLDER / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise DevstackError(
                f"The API already runs in this folder (process {file.read()}). Stop it there first."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
