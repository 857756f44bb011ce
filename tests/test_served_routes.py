"""The way out of Lambda stays open: the application needs nothing but a WSGI server."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Event

import pytest

from apps.devstack.emulator import Emulator
from tests.load import callers
from tests.load import run as load
from tests.load.callers import Tally
from tests.rehearsal.clients import over_http, walk
from tests.support.gunicorn_server import Served
from tests.support.processes import run_python

pytestmark = [pytest.mark.slow(cost=15), pytest.mark.emulator]

WORKERS = 2
BEFORE = {7: load.Worker(100.0, 20)}
# Says after a second that a neighbour is slow, which on a busy machine it may be.
ON_A_CLOCK = {"/health/ready"}


@pytest.fixture
def served(
    tmp_path: Path, provisioned_emulator: Emulator, provisioned_variables: Mapping[str, str]
) -> Iterator[Served]:
    with Served(tmp_path, provisioned_variables, workers=WORKERS, crowd=2) as served:
        yield served


class TestGunicorn:
    def test_serves_every_route_during_a_rotation_and_junk(
        self, served: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ask = over_http(served.port, "127.0.0.1")

        routes = [call for call in served.people["calls"] if call["path"] not in ON_A_CLOCK]
        count, failures = walk(ask, routes, served.people["tokens"])
        assert (count > 100, failures) == (True, [])
        assert len(served.workers) == WORKERS

        served.rotate_password()
        assert served.cut_connections()
        _, failures = walk(ask, routes, served.people["tokens"])
        assert not failures

        monkeypatch.setattr(load, "SETTLED_SECONDS", 0.0)
        outcome = load.run(served, 240)
        assert not [*outcome.tally.failures, *outcome.tally.crashes]
        assert list(outcome.after) == served.workers
        assert "good requests" in "\n".join(load.report(outcome))


class TestStandalone:
    def test_leaves_the_database_of_the_shell_alone(self) -> None:
        """Else `make load` and the benchmarks would migrate it, and put people into it."""
        script = "from tests.support import standalone\nwith standalone.running(): pass"
        shell = os.environ | {"DATABASE_URL": "postgresql://127.0.0.1:9/people"}

        ended = run_python("-c", script, environment=shell)

        assert ended.returncode == 0, ended.stderr


class TestJunk:
    def test_is_never_the_same_noise(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What a server keeps of a request shows only if no two are alike."""
        ended, paths = Event(), list[str]()

        def throw(_port: int, message: bytes, **_options: bool) -> int:
            paths.extend(re.findall(r"GET /([0-9a-f]{40}) ", message.decode("latin-1")))
            if len(paths) == 2:
                ended.set()
            return 404

        monkeypatch.setattr(callers, "_throw", throw)
        callers.junk(0, "token", ended, Tally(), seed=1)

        assert len(set(paths)) == 2


class TestOutcome:
    @pytest.mark.parametrize(
        ("after", "message"),
        [
            ({7: load.Worker(101.0, 21)}, ""),
            ({7: load.Worker(106.0, 20)}, "worker 7 grew from 100.0 to 106.0 MB"),
            ({7: load.Worker(100.0, 40)}, "worker 7 went from 20 to 40 descriptors"),
            ({8: load.Worker(100.0, 20)}, "workers ended: [7]"),
        ],
    )
    def test_names_what_was_lost_and_what_a_worker_kept(
        self, after: dict[int, load.Worker], message: str
    ) -> None:
        tally = Tally(failures=["GET /: 503"], junk=[("noise", 500), ("noise", 400)])
        outcome = load.Outcome(tally, 1.0, BEFORE, after)

        lost = ["1 good requests failed: GET /: 503", "junk made a crash: noise: 500"]
        assert list(outcome.problems()) == lost + [message] * bool(message)
