"""The environment of processes that only repeat what others are measured at: coverage makes them slow."""

from __future__ import annotations

import os


def environment() -> dict[str, str]:
    """Return this process's environment without what has coverage measure its children."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COV_CORE_", "COVERAGE_PROCESS_"))
    }
