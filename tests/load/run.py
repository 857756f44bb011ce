"""
Half an hour's requests in a few minutes, mixed with junk: what is lost, what is kept, what it costs.

    make load                              36,000 good requests to four workers
    make load ARGS="--requests 2000"       a short one

It starts an AWS, a PostgreSQL and gunicorn of its own and calls only them, on the loopback address. It
ends with 1 if a good request failed, if junk caused a crash, or if a worker's memory or descriptors grew.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import NamedTuple

from apps.devstack.emulator import Emulator, free_port
from tests.load import callers
from tests.support import environment
from tests.support.gunicorn_server import Served

REQUESTS = 36_000  # twenty a second for half an hour
CROWD = 30  # so many that none of them reaches the limit of a single caller
GOOD, JUNK, SLOW = 8, 2, 3
WARM_UP = 0.5  # as many again: each thread grows once, by what its largest answer takes
SETTLED_SECONDS = 4.0  # longer than a kept connection is kept
# A worker may grow by this much in the second half. A leak of a kilobyte a request does not fit.
FLAT_MEGABYTES = 3
FLAT_DESCRIPTORS = 3


class Worker(NamedTuple):
    """One worker at one moment without calls."""

    megabytes: float
    descriptors: int


class Outcome(NamedTuple):
    """The result of one run: its workers, by process id, after the warm-up, half-way and at the end."""

    tally: callers.Tally
    seconds: float
    moments: list[dict[int, Worker]]

    def problems(self) -> Iterator[str]:
        """Say what did not hold."""
        if self.tally.failures:
            yield f"{len(self.tally.failures)} good requests failed: {'; '.join(self.tally.failures[:3])}"
        yield from (f"junk made a crash: {crash}" for crash in self.tally.crashes)
        start, half_way, end = self.moments
        if start.keys() != end.keys():
            yield f"workers ended: {sorted(start.keys() - end.keys())}"
        for pid in start.keys() & end.keys():
            # The kernel shares the warm-up out unevenly: in the first half a worker may still grow.
            before, after = half_way[pid].megabytes, end[pid].megabytes
            if after - before > FLAT_MEGABYTES:
                yield f"worker {pid} grew from {before:.1f} to {after:.1f} MB"
            if end[pid].descriptors - start[pid].descriptors > FLAT_DESCRIPTORS:
                yield f"worker {pid} went from {start[pid].descriptors} to {end[pid].descriptors} descriptors"


def run(served: Served, requests: int) -> Outcome:
    """Warm up, call in two halves, and look at the workers after each."""
    plan = callers.wishes(served.port, served.people)
    _call(served, plan, round(requests * WARM_UP), callers.Tally())
    tally, seconds, moments = callers.Tally(), 0.0, [_settled(served)]
    for _half in range(2):
        seconds += _call(served, plan, requests // 2, tally)
        moments.append(_settled(served))
    return Outcome(tally, seconds, moments)


def _call(
    served: Served, plan: list[tuple[callers.Wish, float]], requests: int, tally: callers.Tally
) -> float:
    """Let good callers call, and return how long it took. The others call until the good ones end."""
    ended, began = Event(), time.perf_counter()
    token = served.people["tokens"]["admin"]
    with ThreadPoolExecutor(GOOD + JUNK + SLOW) as pool:
        futures = [pool.submit(callers.junk, served.port, token, ended, tally, seed) for seed in range(JUNK)]
        futures += [pool.submit(callers.slow, served.port, ended, tally) for _ in range(SLOW)]
        count = max(1, requests // GOOD)
        good = [pool.submit(callers.good, served.port, plan, count, tally) for _ in range(GOOD)]
        try:
            for future in good:
                future.result()
        finally:
            seconds = time.perf_counter() - began
            ended.set()
        for future in futures:
            future.result()
    return seconds


def _settled(served: Served) -> dict[int, Worker]:
    time.sleep(SETTLED_SECONDS)
    return {pid: _look(pid) for pid in served.workers}


def _look(pid: int) -> Worker:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Worker(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, descriptors)


def report(outcome: Outcome) -> Iterator[str]:
    """Yield the tables of docs/benchmarks.md."""
    tally = outcome.tally
    yield (
        f"{len(tally.granted):,} good requests in {outcome.seconds:.0f} s,"
        f" {len(tally.granted) / outcome.seconds:.0f} a second: {len(tally.failures)} failed."
        f" Beside them {len(tally.junk):,} pieces of junk."
    )
    yield "\n| good requests | number | p50 ms | p90 ms | p99 ms | longest |\n|---|---:|---:|---:|---:|---:|"
    for name in [*sorted({name for name, _ in tally.granted}), "**all**"]:
        seconds = [taken for each, taken in tally.granted if name in (each, "**all**")]
        percentiles = statistics.quantiles(seconds * 2, n=100, method="inclusive")  # one value is too few
        times = " | ".join(f"{percentiles[index] * 1000:.1f}" for index in (49, 89, 98))
        yield f"| {name} | {len(seconds):,} | {times} | {max(seconds) * 1000:.0f} |"
    yield "\n| junk | answered with | number |\n|---|---:|---:|"
    for (kind, status), number in sorted(Counter(tally.junk).items()):
        yield f"| {kind} | {status or 'silence'} | {number:,} |"
    yield "\n| worker | MB after the warm-up | half-way | at the end | descriptors before | after |"
    yield "|---|---:|---:|---:|---:|---:|"
    for number, (start, half_way, end) in enumerate(zip(*map(dict.values, outcome.moments), strict=False), 1):
        memory = " | ".join(f"{worker.megabytes:.1f}" for worker in (start, half_way, end))
        yield f"| {number} | {memory} | {start.descriptors} | {end.descriptors} |"


def main() -> None:
    """Start everything, call it, and print the outcome."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--workers", type=int, default=4)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="moped-load-") as folder:
        outcome = _run_with_servers(Path(folder), arguments.requests, arguments.workers)
    print("\n".join(report(outcome)))
    sys.exit("\n".join(outcome.problems()) or 0)


def _run_with_servers(folder: Path, requests: int, workers: int) -> Outcome:
    emulator = Emulator(folder, free_port(), durable=False)
    emulator.start()
    try:
        environment.apply("postgresql:///not-used-here")
        os.environ["AWS_ENDPOINT_URL"] = emulator.url
        import django

        django.setup()
        from apps.devstack import provision

        variables = provision.create_resources(8000, emulator.url)
        with Served(folder, variables, workers=workers, crowd=CROWD) as served:
            return run(served, requests)
    finally:
        emulator.stop()


if __name__ == "__main__":
    main()
