"""
Half an hour's requests in a few minutes, mixed with junk: what is lost, what is kept, what it costs.

    make load                              36,000 good requests to four workers, and half as many again
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

from tests.load import callers
from tests.support import standalone
from tests.support.gunicorn_server import Served

REQUESTS = 36_000  # twenty a second for half an hour: each thread grows once, by its largest answer
CROWD = 30  # so many that none of them reaches the limit of a single caller
GOOD, JUNK, SLOW = 8, 2, 3
SETTLED_SECONDS = 4.0  # longer than a kept connection is kept
# A worker may grow by this much in the last third. A leak of a kilobyte a request does not fit.
FLAT_MEGABYTES = 3
FLAT_DESCRIPTORS = 3


class Worker(NamedTuple):
    """One worker at one moment without calls."""

    megabytes: float
    descriptors: int


class Outcome(NamedTuple):
    """The result of one run: its workers, by process id, before the last third and after it."""

    tally: callers.Tally
    seconds: float
    before: dict[int, Worker]
    after: dict[int, Worker]

    def problems(self) -> Iterator[str]:
        """Say what did not hold."""
        if self.tally.failures:
            yield f"{len(self.tally.failures)} good requests failed: {'; '.join(self.tally.failures[:3])}"
        yield from (f"junk made a crash: {crash}" for crash in self.tally.crashes)
        if self.before.keys() != self.after.keys():
            yield f"workers ended: {sorted(self.before.keys() - self.after.keys())}"
        for pid in self.before.keys() & self.after.keys():
            before, after = self.before[pid], self.after[pid]
            if after.megabytes - before.megabytes > FLAT_MEGABYTES:
                yield f"worker {pid} grew from {before.megabytes:.1f} to {after.megabytes:.1f} MB"
            if after.descriptors - before.descriptors > FLAT_DESCRIPTORS:
                yield f"worker {pid} went from {before.descriptors} to {after.descriptors} descriptors"


def run(served: Served, requests: int) -> Outcome:
    """Call, look at the workers, call half as often again, and look again."""
    plan, tally = callers.wishes(served.port, served.people), callers.Tally()
    seconds = _call(served, plan, requests, tally)
    before = _settled(served)
    seconds += _call(served, plan, requests // 2, tally)
    return Outcome(tally, seconds, before, _settled(served))


def _call(served: Served, plan: callers.Plan, requests: int, tally: callers.Tally) -> float:
    """Let good callers call, and return how long it took. The others call until the good ones end."""
    ended, began = Event(), time.perf_counter()
    token = served.people["tokens"]["admin"]
    with ThreadPoolExecutor(GOOD + JUNK + SLOW) as pool:
        others = [pool.submit(callers.junk, served.port, token, ended, tally, seed) for seed in range(JUNK)]
        others += [pool.submit(callers.slow, served.port, ended, tally) for _ in range(SLOW)]
        count = max(1, requests // GOOD)
        good = [pool.submit(callers.good, served.port, plan, count, tally) for _ in range(GOOD)]
        try:
            for future in good:
                future.result()
        finally:
            ended.set()
        seconds = time.perf_counter() - began
        for future in others:
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
    yield "\n| worker | MB before the last third | after | descriptors before | after |"
    yield "|---|---:|---:|---:|---:|"
    for before, after in zip(outcome.before.items(), outcome.after.values(), strict=False):
        pid, worker = before
        memory = f"{worker.megabytes:.1f} | {after.megabytes:.1f}"
        yield f"| {pid} | {memory} | {worker.descriptors} | {after.descriptors} |"


def main() -> None:
    """Start everything, call it, and print the outcome."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--workers", type=int, default=4)
    arguments = parser.parse_args()
    with (
        standalone.running() as variables,
        tempfile.TemporaryDirectory(prefix="moped-load-") as folder,
        Served(Path(folder), variables, workers=arguments.workers, crowd=CROWD) as served,
    ):
        outcome = run(served, arguments.requests)
    print("\n".join(report(outcome)))
    sys.exit("\n".join(outcome.problems()) or 0)


if __name__ == "__main__":
    main()
