"""
Half an hour's requests in a few minutes, mixed with junk: what is lost, what is kept, what it costs.

    make load                              36,000 good requests to four workers
    make load ARGS="--requests 2000"       a short one

It brings an AWS, a PostgreSQL and gunicorn of its own and calls only them, on the loopback
address. It ends with 1 if one good request failed, if junk made a crash, or if a worker's memory or
descriptors grew.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from apps.devstack import environment
from apps.devstack.emulator import Emulator, free_port
from tests.load import callers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.support.gunicorn_server import Served

REQUESTS = 36_000  # twenty a second for half an hour
CROWD = 30  # so many that none of them reaches the limit of a single caller
GOOD, JUNK, SLOW = 8, 2, 3
WARM_UP = 0.5  # as many again: each thread grows once, by what its largest answer takes
SETTLED_SECONDS = 4.0  # longer than a kept connection is kept
# A worker may grow by this much in the second half; a leak of a kilobyte a request does not fit.
FLAT_MEGABYTES = 3
FLAT_DESCRIPTORS = 3
QUANTILES = (0.5, 0.9, 0.99)


@dataclass(frozen=True)
class Sample:
    """One worker at one moment."""

    second: float
    pid: int
    megabytes: float
    descriptors: int


@dataclass(frozen=True)
class Outcome:
    """What one run showed."""

    tally: callers.Tally
    seconds: float
    while_busy: list[Sample]
    settled: list[list[Sample]]
    """After the warm-up, and at the end: there were no calls."""

    def problems(self) -> Iterator[str]:
        """Say what did not hold."""
        if self.tally.failures:
            yield f"{len(self.tally.failures)} good requests failed: {'; '.join(self.tally.failures[:3])}"
        yield from (f"junk made a crash: {crash}" for crash in self.tally.crashes)
        before, after = ({sample.pid: sample for sample in moment} for moment in self.settled)
        if before.keys() != after.keys():
            yield f"workers ended: {sorted(before.keys() - after.keys())}"
        # The kernel shares the warm-up out unevenly: a worker may only now see its largest answers.
        half_way = before | self._half_way()
        for pid in before.keys() & after.keys():
            yield from _grown(half_way[pid], after[pid])
            yield from _kept(before[pid], after[pid])

    def _half_way(self) -> dict[int, Sample]:
        return {sample.pid: sample for sample in self.while_busy if sample.second <= self.seconds / 2}


def _grown(before: Sample, after: Sample) -> Iterator[str]:
    if after.megabytes - before.megabytes > FLAT_MEGABYTES:
        yield f"worker {after.pid} grew from {before.megabytes:.1f} to {after.megabytes:.1f} MB"


def _kept(before: Sample, after: Sample) -> Iterator[str]:
    if after.descriptors - before.descriptors > FLAT_DESCRIPTORS:
        yield f"worker {after.pid} went from {before.descriptors} to {after.descriptors} descriptors"


def run(served: Served, requests: int) -> Outcome:
    """Warm up, call, and look at the workers all the while."""
    plan = callers.wishes(served.port, served.people)
    _call(served, plan, max(GOOD, round(requests * WARM_UP)), callers.Tally())
    settled = [_settled(served)]
    tally, ended = callers.Tally(), Event()
    samples: list[Sample] = []
    watcher = Thread(target=_watch, args=(served, samples, ended))
    watcher.start()
    seconds = _call(served, plan, requests, tally)
    ended.set()
    watcher.join()
    return Outcome(tally, seconds, samples, [*settled, _settled(served)])


def _call(
    served: Served, plan: list[tuple[callers.Wish, float]], requests: int, tally: callers.Tally
) -> float:
    """Let good callers call, and return how long it took; the others come for as long as they do."""
    ended, began = Event(), time.perf_counter()
    token = served.people["tokens"]["admin"]
    with ThreadPoolExecutor(GOOD + JUNK + SLOW) as pool:

        def going_on() -> bool:
            return not ended.is_set()

        futures = [
            pool.submit(callers.junk, served.port, token, going_on, tally, seed) for seed in range(JUNK)
        ]
        futures += [pool.submit(callers.slow, served.port, going_on, tally) for _ in range(SLOW)]
        calling = [pool.submit(callers.good, served.port, plan, requests // GOOD, tally) for _ in range(GOOD)]
        for future in calling:
            future.result()
        seconds = time.perf_counter() - began
        ended.set()
        for future in futures:
            future.result()
    return seconds


def _watch(served: Served, samples: list[Sample], ended: Event) -> None:
    began = time.perf_counter()
    while not ended.wait(0.5):
        samples += _look(served, time.perf_counter() - began)


def _settled(served: Served) -> list[Sample]:
    time.sleep(SETTLED_SECONDS)
    return _look(served, 0.0)


def _look(served: Served, second: float) -> list[Sample]:
    return [
        Sample(second, pid, _megabytes(pid), len(list(Path(f"/proc/{pid}/fd").iterdir())))
        for pid in served.workers
    ]


def _megabytes(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


# ---- the report -------------------------------------------------------------------------------------


def report(outcome: Outcome) -> Iterator[str]:
    """Say it in the tables of docs/benchmarks.md."""
    tally = outcome.tally
    everything = [second for seconds in tally.seconds.values() for second in seconds]
    rate = len(everything) / outcome.seconds
    yield (
        f"{len(everything):,} good requests in {outcome.seconds:.0f} s, {rate:.0f} a second:"
        f" {len(tally.failures)} failed, {tally.reconnected} took a second connection."
        f" Beside them {tally.junk.total():,} pieces of junk."
    )
    yield ""
    yield "| good requests | number | p50 ms | p90 ms | p99 ms | longest |"
    yield "|---|---:|---:|---:|---:|---:|"
    for name, seconds in [*sorted(tally.seconds.items()), ("**all**", everything)]:
        yield f"| {name} | {len(seconds):,} | {' | '.join(_milliseconds(seconds))} |"
    yield ""
    yield "| junk | answered with |"
    yield "|---|---|"
    for kind in sorted({kind for kind, _ in tally.junk}):
        lines = [
            f"{status or 'silence'}: {count:,}"
            for (other, status), count in sorted(tally.junk.items())
            if other == kind
        ]
        yield f"| {kind} | {', '.join(lines)} |"
    yield ""
    yield from _workers(outcome)


def _workers(outcome: Outcome) -> Iterator[str]:
    yield "| worker | MB before | while busy, by quarters | after | descriptors before | at most | after |"
    yield "|---|---:|---|---:|---:|---:|---:|"
    before, after = ({sample.pid: sample for sample in moment} for moment in outcome.settled)
    for number, pid in enumerate(sorted(before.keys() & after.keys()), start=1):
        busy = [sample for sample in outcome.while_busy if sample.pid == pid]
        quarters = " ".join(f"{value:.1f}" for value in _quarters([sample.megabytes for sample in busy]))
        most = max((sample.descriptors for sample in busy), default=0)
        yield (
            f"| {number} | {before[pid].megabytes:.1f} | {quarters} | {after[pid].megabytes:.1f} |"
            f" {before[pid].descriptors} | {most} | {after[pid].descriptors} |"
        )


def _milliseconds(seconds: Sequence[float]) -> Iterator[str]:
    ordered = sorted(seconds)
    for quantile in QUANTILES:
        yield f"{ordered[int(quantile * (len(ordered) - 1))] * 1000:.1f}"
    yield f"{ordered[-1] * 1000:.0f}"


def _quarters(values: Sequence[float]) -> list[float]:
    size = max(1, len(values) // 4)
    return [
        statistics.median(values[start : start + size])
        for start in range(0, size * 4, size)
        if values[start:]
    ]


def main() -> None:
    """Make a world, lean on it, and say what was seen."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--workers", type=int, default=4)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="moped-load-") as folder:
        outcome = _in_a_world(Path(folder), arguments.requests, arguments.workers)
    print("\n".join(report(outcome)))
    sys.exit("\n".join(outcome.problems()) or 0)


def _in_a_world(folder: Path, requests: int, workers: int) -> Outcome:
    emulator = Emulator(folder, free_port(), durable=False)
    emulator.start()
    try:
        environment.apply_for_tests("postgresql:///not-used-here")
        os.environ |= {"AWS_ENDPOINT_URL": emulator.url, "DJANGO_SETTINGS_MODULE": "moped_api.settings"}
        import django

        django.setup()
        from apps.devstack import provision
        from tests.support.gunicorn_server import Served

        furnished = provision.furnish(provision.Endpoints(8000, emulator.url))
        with Served(folder, furnished, workers=workers, crowd=CROWD) as served:
            return run(served, requests)
    finally:
        emulator.stop()


if __name__ == "__main__":
    main()
