"""
The environment of the tests, and a PostgreSQL server of their own.

Named in pyproject's `addopts`, since pytest-django reads the settings before any conftest.py is
read. With xdist only the controller starts the server; the workers inherit its address.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from apps.devstack.environment import FOLDER as LAPTOP
from apps.devstack.errors import DevstackError
from apps.devstack.postgresql import Cluster
from tests.support import environment

pytest_plugins = ["tests.support.emulator_fixtures"]

FOLDER = LAPTOP / "tests"
CLEANUP = pytest.StashKey[ExitStack]()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """Prepare before anything else: a wrapper runs before every other plugin's own."""
    cleanup = early_config.stash[CLEANUP] = ExitStack()
    # A worker of xdist inherits the address.
    environment.apply(os.environ.get("DATABASE_URL") or _start_postgresql(cleanup))
    return (yield)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what was started."""
    config.stash[CLEANUP].close()


def _start_postgresql(cleanup: ExitStack) -> str:
    cluster = Cluster(_own_folder(cleanup), durable=False)
    cleanup.callback(os.environ.pop, "DATABASE_URL", None)
    cleanup.callback(cluster.stop)
    try:
        cluster.start()
    except DevstackError as error:
        raise pytest.UsageError(str(error)) from error
    return cluster.url


def _own_folder(cleanup: ExitStack) -> Path:
    # The same one every time, since it starts in a tenth of what a new one takes;
    # a second test run at the same time in the same clone gets a temporary one.
    FOLDER.mkdir(parents=True, exist_ok=True)
    lock = cleanup.enter_context((FOLDER / "lock").open("w"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="moped-tests-")))
    return FOLDER / "postgresql"
