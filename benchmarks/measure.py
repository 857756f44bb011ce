"""
Taking turns, so that other work on the machine reaches all contenders alike.

A contender is a process of its own, asked for a few calls in each round, or a function of this process.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple


class Result(NamedTuple):
    """What one contender took, in microseconds a call: the median, and the best round or tenth."""

    name: str
    median: float
    best: float


class Contender:
    """A child that waits for a number and answers how many nanoseconds so many calls took."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self.times: list[float] = []
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if "--loud" in sys.argv else subprocess.DEVNULL,
            text=True,
        )

    def run(self, calls: int) -> float:
        """Return the microseconds a call took."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{calls}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer.strip().isdigit():
            raise RuntimeError(f"{self.name} did not run: {answer!r}")
        return int(answer) / calls / 1000

    def close(self) -> None:
        """End the child."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def take_turns(contenders: Sequence[Contender], rounds: int, calls: int) -> list[Result]:
    """Return the results of so many rounds; the first calls of each are not counted."""
    for _ in range(rounds):
        for contender in contenders:
            contender.run(max(2, calls // 10))  # its turn begins with caches that others have used
            contender.times.append(contender.run(calls))
    for contender in contenders:
        contender.close()
    return [
        Result(contender.name, statistics.median(contender.times), min(contender.times))
        for contender in contenders
    ]


def in_turn(functions: dict[str, Callable[[], Any]], rounds: int) -> list[Result]:
    """Return the results of so many rounds of single calls in this process."""
    times: dict[str, list[int]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            began = time.perf_counter_ns()
            function()
            times[name].append(time.perf_counter_ns() - began)
    return [
        Result(name, statistics.median(samples) / 1e3, statistics.quantiles(samples, n=10)[0] / 1e3)
        for name, samples in times.items()
    ]


def table(results: Sequence[Result], unit_name: str, title: str) -> str:
    """Return a Markdown table, fastest first, with ratios to the one with this name."""
    unit = next(result for result in results if result.name == unit_name)
    lines = [f"| {title} | µs (median) | ratio | µs (best) | ratio |", "|---|---:|---:|---:|---:|"]
    for name, median, best in sorted(results, key=lambda result: result.median):
        lines.append(
            f"| {name} | {median:.1f} | {median / unit.median:.2f} | {best:.1f} | {best / unit.best:.2f} |"
        )
    return "\n".join(lines)
