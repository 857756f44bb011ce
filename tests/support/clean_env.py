"""The shell of a developer who has just cloned the project."""

from __future__ import annotations

import os

VARIABLES = ("PATH", "HOME", "LANG", "TMPDIR")


def environment() -> dict[str, str]:
    """Return what stands in it: nothing of the tests' own settings."""
    return {name: os.environ[name] for name in VARIABLES if name in os.environ}
