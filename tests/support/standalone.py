"""An AWS and a PostgreSQL for programs, which have no fixtures: the load test and the benchmarks."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

from apps.core.aws import clients
from apps.devstack import provision
from apps.devstack.emulator import Emulator, free_port
from apps.devstack.postgresql import Cluster
from tests.support import environment
from tests.support.emulator_fixtures import as_settings
from tests.support.waiting import LIMIT_SECONDS


@contextmanager
def running() -> Iterator[Mapping[str, str]]:
    """Start both, set Django up with them, and yield the variables that name what is in them."""
    with tempfile.TemporaryDirectory(prefix="moped-") as scratch, ExitStack() as cleanup:
        emulator = Emulator(Path(scratch) / "aws", free_port(), durable=False)
        database = Cluster(Path(scratch) / "postgresql", durable=False)
        for server in (emulator, database):
            cleanup.callback(server.stop)
            server.start()
        os.environ.pop("DATABASE_URL", None)  # of the shell, which may name a database that people use
        environment.apply(database.url)
        os.environ["AWS_ENDPOINT_URL"] = emulator.url
        clients.READ_TIMEOUT_SECONDS = int(LIMIT_SECONDS)  # a busy machine is no outage
        django.setup()
        variables = provision.create_resources(8000, emulator.url)
        for name, value in as_settings(variables).items():
            setattr(settings, name, value)
        call_command("migrate", verbosity=0)
        yield variables
