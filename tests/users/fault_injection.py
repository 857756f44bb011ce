"""
Faults at every step of an operation: steps are what was observed in a run without any.

A step is a call to AWS, an SQL statement or a commit. It can fail before it has an effect or after it, with
or without an answer, once or for good, or the whole process can end there.
"""

import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from botocore.httpsession import URLLib3Session
from django.db import DatabaseError, OperationalError, connection
from urllib3 import HTTPResponse

from apps.core.aws import clients
from apps.core.errors import MopedError
from tests.support.waiting import LIMIT_SECONDS, wait_until

# Its children are like new processes. Nothing of the tests runs in them, and no handler runs after SIGKILL.
FORKS = multiprocessing.get_context("forkserver")


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong at the n-th step of a kind."""

    kind: str
    number: int
    way: str

    @property
    def kills(self) -> bool:
        return self.way.startswith("killed")

    def __str__(self) -> str:
        return f"{self.way} at {self.kind} {self.number}"


AWS_WAYS = (
    "refused",  # the connection, for good
    "throttled",  # for good
    "no answer once",  # the effect is there; the library tries again
    "no answer",  # the effect is there; every attempt goes unanswered
    "killed before",
    "killed after",
)
SQL_WAYS = ("gone", "killed before")
COMMIT_WAYS = ("gone before", "gone after", "killed before", "killed after")
WAYS = {"aws": AWS_WAYS, "sql": SQL_WAYS, "commit": COMMIT_WAYS}


@dataclass
class FaultInjector:
    """Counts every step, and injects one fault."""

    fault: Fault | None = None
    counts: dict[str, int] = field(default_factory=lambda: {"aws": 0, "sql": 0, "commit": 0})
    log: list[str] = field(default_factory=list)
    has_injected: bool = False

    def faults(self, kind: str) -> Iterator[Fault]:
        """Yield every fault that the steps of a kind can have, way by way: a third of many has every way."""
        for way in WAYS[kind]:
            yield from (Fault(kind, number, way) for number in range(self.counts[kind]))

    # ---- AWS ---------------------------------------------------------------------------------------

    def before_call(self, params: dict[str, Any], model: Any, **_event: Any) -> None:
        """Number a call: its attempts share the number."""
        params["headers"]["X-Step"] = str(self.counts["aws"])
        self.log.append(model.name)
        self.counts["aws"] += 1

    def before_send(self, request: Any, **_event: Any) -> AWSResponse | None:
        step = int(request.headers["X-Step"])
        first = not self.has_injected
        if not self._hits("aws", step):
            return None
        assert self.fault
        way = self.fault.way
        if way == "throttled":
            return error_answer(request.url, "TooManyRequestsException")
        if way == "no answer once" and not first:
            return None
        if way not in {"refused", "killed before"}:
            send(request)
        self._end_if_it_kills()
        raise (EndpointConnectionError if way == "refused" else ReadTimeoutError)(endpoint_url=request.url)

    # ---- PostgreSQL --------------------------------------------------------------------------------

    def statement(self, execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        step = self.counts["sql"]
        self.counts["sql"] += 1
        self.log.append(sql.split(" ", 1)[0])
        if self._hits("sql", step):
            self._break()
        return execute(sql, *arguments)

    def commit(self, real: Callable[[], None]) -> None:
        step = self.counts["commit"]
        self.counts["commit"] += 1
        self.log.append("COMMIT")
        if not self._hits("commit", step):
            real()
            return
        assert self.fault
        if self.fault.way.endswith("after"):
            real()
        self._break()

    def _hits(self, kind: str, step: int) -> bool:
        hit = bool(self.fault) and (self.fault.kind, self.fault.number) == (kind, step)  # type: ignore[union-attr]
        self.has_injected = self.has_injected or hit
        return hit

    def _end_if_it_kills(self) -> None:
        if self.fault and self.fault.kills:
            os.kill(os.getpid(), signal.SIGKILL)

    def _break(self) -> None:
        """Lose the connection: what was not committed is rolled back by the server."""
        self._end_if_it_kills()
        connection.connection.close()
        raise OperationalError("the database is gone")


def attempt(act: Callable[[], object]) -> bool:
    """Do something; False if it failed, in whatever way."""
    try:
        act()
    except (MopedError, DatabaseError):
        return False
    finally:
        if connection.connection is not None and connection.connection.closed:
            connection.close()
    return True


def run_with_fault(
    act: Callable[[], object], fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> tuple[bool, bool]:
    """
    Do something with a fault, in a process of its own if the fault kills.

    :return: whether the fault happened, and whether the operation succeeded all the same
    """
    if fault.kills:
        child = FORKS.Process(target=_disturbed, args=(act, fault))
        child.start()
        child.join()
        assert wait_until(_is_alone)
        return child.exitcode == -signal.SIGKILL, False
    with observe_steps(monkeypatch, fault) as injector:
        succeeded = attempt(act)
    return injector.has_injected, succeeded


def _disturbed(act: Callable[[], object], fault: Fault) -> None:
    with pytest.MonkeyPatch.context() as patch, observe_steps(patch, fault):
        act()


def _is_alone() -> bool:
    """Return whether the database noticed the end of every other process, and rolled back what it began."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND backend_type = 'client backend'"
        )
        return bool(cursor.fetchone() == (1,))


def error_answer(url: str, code: str) -> AWSResponse:
    """Return an answer of AWS with this error code."""

    headers = {"content-type": "application/x-amz-json-1.1"}
    body = BytesIO(json.dumps({"__type": code, "message": ""}).encode())
    answer = HTTPResponse(body, preload_content=False)
    return AWSResponse(url, 400, headers, answer)  # type: ignore[arg-type]


def send(request: Any) -> None:
    session = URLLib3Session(timeout=int(LIMIT_SECONDS))
    try:
        session.send(request)
    finally:
        session.close()


@contextmanager
def registered(handlers: Mapping[str, Callable[..., Any]], *clients: Any) -> Iterator[None]:
    """Let botocore call the handlers of these events first."""
    for client in clients:
        for event, handler in handlers.items():
            client.meta.events.register_first(event, handler)
    try:
        yield
    finally:
        for client in clients:
            for event, handler in handlers.items():
                client.meta.events.unregister(event, handler)


@contextmanager
def observe_steps(monkeypatch: pytest.MonkeyPatch, fault: Fault | None = None) -> Iterator[FaultInjector]:
    """Count every step of the block, and inject the fault at the step that it names."""
    injector = FaultInjector(fault)
    observed: list[Any] = [clients.cognito(), clients.dynamodb(), clients.secrets_manager()]
    real_commit = connection._commit  # type: ignore[attr-defined]
    handlers: dict[str, Callable[..., Any]] = {
        "before-call.*.*": injector.before_call,
        "before-send.*.*": injector.before_send,
    }
    with monkeypatch.context() as patch, registered(handlers, *observed):
        patch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
        patch.setattr(connection, "_commit", lambda: injector.commit(real_commit))
        with connection.execute_wrapper(injector.statement):
            yield injector
