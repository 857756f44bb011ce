"""The way out of Lambda stays open: the application needs nothing but a WSGI server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.load import run as load
from tests.load.callers import Tally, Wish
from tests.rehearsal.clients import over_http, walk
from tests.support.gunicorn_server import Served

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from apps.devstack.emulator import Emulator

pytestmark = [pytest.mark.slow(cost=25), pytest.mark.emulator]

WORKERS = 2
# Says after a second that a neighbour is slow, which on a busy machine it may be.
ON_A_CLOCK = {"/health/ready"}


@pytest.fixture
def served(
    tmp_path: Path, furnished_emulator: Emulator, furnished_variables: Mapping[str, str]
) -> Iterator[Served]:
    with Served(tmp_path, furnished_variables, workers=WORKERS, crowd=2) as served:
        yield served


class TestGunicorn:
    def test_serves_every_route_during_a_rotation_and_junk(
        self, served: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ask = over_http(served.port, "127.0.0.1")

        people = {
            **served.people,
            "calls": [c for c in served.people["calls"] if c["path"] not in ON_A_CLOCK],
        }
        count, failures = walk(ask, people)
        assert (count > 100, failures) == (True, [])
        assert len(served.workers) == WORKERS

        served.rotate_password()
        assert served.cut_connections()
        _, failures = walk(ask, people)
        assert not failures

        monkeypatch.setattr(load, "SETTLED_SECONDS", 0.0)
        outcome = load.run(served, 240)
        assert not [*outcome.tally.failures, *outcome.tally.crashes]
        assert [sample.pid for sample in outcome.settled[1]] == served.workers
        assert "good requests" in "\n".join(load.report(outcome))


class TestOutcome:
    @pytest.fixture
    def tally(self) -> Tally:
        tally = Tally()
        tally.granted(Wish("/", "/"), 0.1)
        tally.refused("noise", 400)
        return tally

    def problems(self, tally: Tally, *after: load.Sample) -> str:
        before = [load.Sample(0, 7, 100.0, 20)]
        return "; ".join(load.Outcome(tally, 1.0, [], [before, list(after)]).problems())

    def test_is_good_where_nothing_was_lost_and_nothing_kept(self, tally: Tally) -> None:
        assert not self.problems(tally, load.Sample(9, 7, 101.0, 21))

    @pytest.mark.parametrize(
        ("after", "message"),
        [
            (load.Sample(9, 7, 120.0, 20), "worker 7 grew from 100.0 to 120.0 MB"),
            (load.Sample(9, 7, 100.0, 40), "worker 7 went from 20 to 40 descriptors"),
            (load.Sample(9, 8, 100.0, 20), "workers ended: [7]"),
        ],
    )
    def test_names_what_a_worker_kept(self, tally: Tally, after: load.Sample, message: str) -> None:
        assert self.problems(tally, after) == message

    def test_lets_a_worker_fill_its_caches_in_the_first_half(self, tally: Tally) -> None:
        before, half_way = load.Sample(0, 7, 100.0, 20), load.Sample(4, 7, 119.0, 20)
        late, after = load.Sample(6, 7, 125.0, 20), load.Sample(0, 7, 120.0, 20)

        filled = load.Outcome(tally, 10.0, [half_way, late], [[before], [after]])
        leaking = load.Outcome(tally, 10.0, [half_way, late], [[before], [late]])

        assert not list(filled.problems())
        assert list(leaking.problems()) == ["worker 7 grew from 119.0 to 125.0 MB"]

    def test_names_what_was_lost(self, tally: Tally) -> None:
        tally.failed(Wish("/", "/"), "503")
        tally.refused("noise", 500)

        problems = self.problems(tally, load.Sample(9, 7, 100.0, 20))

        assert problems == "1 good requests failed: GET /: 503; junk made a crash: noise: 500"
