"""
Processes that SIGKILL ends at a step of an operation: no handler of theirs runs after it.

`python -m tests.users.killable_worker` reads pickled pairs of a case and a fault, and forks a child for each.
It has no threads, no connection and no client that was used, so that a child is like a new process.
"""

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, NoReturn, Self

import django
import pytest
from django.db import connection

from apps.core.aws import clients
from apps.devstack.environment import PROJECT
from tests.users import fault_injection
from tests.users.fault_injection import Fault


class KillableWorkers:
    """The process that forks the children, seen from the tests."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        database = f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{connection.settings_dict['NAME']}"
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            cwd=PROJECT,
            env={**_unmeasured(), **variables, "DATABASE_URL": database},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        with self._process:
            self._process.kill()

    def kill_by(self, fault: Fault, case: Any) -> None:
        """Let a child do what the case is about, until the fault kills it."""
        assert self._process.stdin
        assert self._process.stdout
        pickle.dump((case, fault), self._process.stdin)
        self._process.stdin.flush()
        assert self._process.stdout.readline().strip() == str(-signal.SIGKILL).encode(), (
            f"{fault} did not kill"
        )


def _unmeasured() -> dict[str, str]:
    """Return the environment without what has coverage measure children. It makes them slow."""
    prefixes = ("COV_CORE_", "COVERAGE_PROCESS_")
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}


def serve() -> None:
    """Fork a child for every case, and print how each ended."""
    answers, sys.stdout = sys.stdout, sys.stderr  # where Django logs
    django.setup()
    for client in (clients.cognito, clients.dynamodb, clients.secrets_manager):
        client()
    while True:
        case, fault = pickle.load(sys.stdin.buffer)  # noqa: S301 (from our own tests)
        child = os.fork()
        if not child:
            _run(case, fault)
        _, status = os.waitpid(child, 0)
        answers.write(f"{os.waitstatus_to_exitcode(status)}\n")
        answers.flush()


def _run(case: Any, fault: Fault) -> NoReturn:
    try:
        with pytest.MonkeyPatch.context() as patch, fault_injection.observe_steps(patch, fault, end=_end):
            case.act()
    finally:
        os._exit(1)


def _end() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


if __name__ == "__main__":
    serve()
