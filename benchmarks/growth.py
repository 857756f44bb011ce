"""1, 100 and 10,000 distinct valid tokens in turn: what a request then costs, and what is kept."""

from __future__ import annotations

import resource
import statistics
import sys
import time
from pathlib import Path

import django

django.setup()

from apps.auth.tokens import verifier  # noqa: E402 (after the set-up)


def main() -> None:
    """Print one row for each number of tokens."""
    texts = [line.encode() for line in Path(sys.argv[1]).read_text().splitlines()]
    verifier.verify(texts[0].decode())
    before = memory()
    print("| distinct tokens in turn | µs a call (median) | entries kept | growth of the process |")
    print("|---:|---:|---:|---:|")
    for count in (1, 100, 10_000):
        times = [once(text) for _ in range(max(2, 10_000 // count)) for text in texts[:count]]
        grown = (memory() - before) / 1024
        entries = verifier._verified.cache_info().currsize  # noqa: SLF001
        print(f"| {count:,} | {statistics.median(times[count:]):.1f} | {entries:,} | {grown:.1f} MB |")


def once(text: bytes) -> float:
    """Return the microseconds of one call."""
    token = text.decode()
    began = time.process_time_ns()
    verifier.verify(token)
    return (time.process_time_ns() - began) / 1000


def memory() -> int:
    """Return the peak of the resident set, in kB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
