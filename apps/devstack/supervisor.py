"""
Starts, provisions and restarts the laptop's servers: PostgreSQL and the embedded AWS.

It restarts a server that ends by itself. No confirmed change is lost: PostgreSQL and the embedded AWS
(`with_saved_changes`) write changes to the disk before they confirm them.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from urllib.parse import urlsplit

from django.conf import settings

from apps.core.aws import clients
from apps.core.errors import MopedError
from apps.devstack import environment, postgresql, pre_token_function, processes, provision
from apps.devstack.emulator import Emulator, free_port
from apps.devstack.errors import DevstackError
from apps.devstack.personas import PASSWORD, PERSONAS

AWS = environment.FOLDER / "aws"
POLL_SECONDS = 0.2
WELCOME = """
  Sign in      http://127.0.0.1:{port}/auth/current_user
  AWS          {aws} (embedded: user pool, hosted sign-in, claims, files)
  Edit a file and it is served; Ctrl-C stops everything and keeps it; `make reset` forgets it.

Who you can be, all with the password {password}

{personas}

Call it as one of them:

  curl -H "Authorization: Bearer $(.venv/bin/python manage.py token --as editor)" http://127.0.0.1:{port}/auth/current_user
"""


def serve(api_port: int, api: Sequence[str], tell: Callable[[str], object]) -> int:
    """
    Run the API and its servers until the API ends, and return its exit code. The data stays.

    :param api_port: the port of the API, to which the pool sends browsers back
    :param api: the command that serves the API
    :param tell: prints a sentence for the developer
    :raises DevstackError: if the servers already run or do not start
    """
    if not environment.is_supplied("AWS_ENDPOINT_URL"):
        raise DevstackError(
            "AWS_ENDPOINT_URL is set, in this shell or in .env, but `make run` brings its own AWS: unset it."
        )
    # Use the last port if it is free, because browsers and presigned URLs contain it.
    emulator = Emulator(AWS, free_port(urlsplit(settings.AWS_ENDPOINT_URL).port or 0))
    servers = (postgresql.Cluster(environment.POSTGRESQL), emulator)
    with ExitStack() as cleanup:
        cleanup.enter_context(_folder_lock())
        for server in servers:
            tell(f"Starting {server.name} …")
            cleanup.callback(server.stop)
            server.start()
        tell("Making the user pool, its sign-in trigger, the table and the bucket …")
        _provision(api_port, emulator.url)
        tell(_welcome(api_port, emulator.url))
        process = cleanup.enter_context(_api_process(api))
        while process.poll() is None:
            for server in servers:
                if server.has_ended:
                    _restart(server, tell)
            time.sleep(POLL_SECONDS)
        return process.returncode


def delete_data() -> None:
    """
    Delete the data of the servers.

    :raises DevstackError: if they run
    """
    with _folder_lock():
        for folder in {postgresql.socket_folder(environment.POSTGRESQL), environment.POSTGRESQL, AWS}:
            if folder.exists():
                shutil.rmtree(folder)
        environment.PUBLISHED.unlink(missing_ok=True)


def _provision(api_port: int, aws_url: str) -> None:
    os.environ["AWS_ENDPOINT_URL"] = aws_url
    clients.forget_clients()
    try:
        environment.publish(provision.create_resources(api_port, aws_url))
    except MopedError as error:
        raise DevstackError(f"Cannot provision the embedded AWS: {error.__cause__ or error}") from error


def _welcome(api_port: int, aws_url: str) -> str:
    personas = "\n".join(f"  {p.key:<16} {p.email:<30} {p.summary}" for p in PERSONAS)
    return WELCOME.format(port=api_port, aws=aws_url, password=PASSWORD, personas=personas)


@contextmanager
def _api_process(api: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    variables = environment.SHELL | {environment.SUPERVISED: "true"}
    command = [*processes.parent_death_prefix(signal.SIGTERM), *api]
    with subprocess.Popen(command, env=variables) as process:  # noqa: S603 (our command)
        try:
            yield process
        finally:
            process.terminate()


def _restart(server: processes.Server, tell: Callable[[str], object]) -> None:
    tell(f"Restarting {server.name}, which ended: {processes.last_line(server.log)}")
    try:
        server.start()
    except DevstackError as error:
        raise DevstackError(f"{error} Start again; `make reset` forgets all data.") from error
    with suppress(MopedError):  # only the first sign-in would be slow
        pre_token_function.warm()
    tell(f"Restarted {server.name} with its data.")


@contextmanager
def _folder_lock() -> Iterator[None]:
    """Lock the folder for this process. The kernel releases the lock when the process ends."""
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
