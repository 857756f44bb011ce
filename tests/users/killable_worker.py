"""
Processes that end at a step of an operation, by SIGKILL: nothing of theirs runs after it.

`python -m tests.users.killable_worker` reads pickled pairs of a case and a fault, and gives each to a child
of its own to die of. It has no threads, no connection and no client that was used, so that a child
starts where a process begins, without what it takes to get there.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NoReturn, Self

import django
import pytest
from django.db import connection

from apps.core.aws import clients
from apps.devstack.environment import PROJECT
from tests.support import no_coverage_env
from tests.users import fault_injection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.users.fault_injection import Fault


class Mortals:
    """The process that has them, seen from the tests."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        database = f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{connection.settings_dict['NAME']}"
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            cwd=PROJECT,
            env={**no_coverage_env.environment(), **variables, "DATABASE_URL": database},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        with self._process:
            self._process.kill()

    def die_of(self, fault: Fault, case: Any) -> None:
        """Let one do what the case is about, until the fault kills it."""
        assert self._process.stdin
        assert self._process.stdout
        pickle.dump((case, fault), self._process.stdin)
        self._process.stdin.flush()
        assert self._process.stdout.readline().strip() == str(-signal.SIGKILL).encode(), (
            f"{fault} did not kill"
        )


def serve() -> None:
    """Have a child for every case, and say how each ended."""
    answers, sys.stdout = sys.stdout, sys.stderr  # where Django logs
    django.setup()
    for client in (clients.cognito, clients.dynamodb, clients.secrets_manager):
        client()
    while True:
        case, fault = pickle.load(sys.stdin.buffer)  # noqa: S301 (from our own tests)
        child = os.fork()
        if not child:
            _live(case, fault)
        _, status = os.waitpid(child, 0)
        answers.write(f"{os.waitstatus_to_exitcode(status)}\n")
        answers.flush()


def _live(case: Any, fault: Fault) -> NoReturn:
    try:
        with pytest.MonkeyPatch.context() as patch, fault_injection.watched(patch, fault, end=_end):
            case.act()
    finally:
        os._exit(1)


def _end() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


if __name__ == "__main__":
    serve()
