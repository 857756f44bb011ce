"""
How tests wait: for an event, with one generous limit for the whole project.

A test fails when something never happens. It must not fail because a machine is slow or busy, so no
test has a limit of its own, and none measures time (tests/test_conventions.py checks both).
"""

import time
from collections.abc import Callable
from typing import Any

from apps.auth.browser import hosted_ui
from apps.auth.tokens import key_cache
from apps.claims import triggers
from apps.core.aws import clients
from apps.core.database.postgresql import base as postgresql
from apps.health import probes

LIMIT_SECONDS = 180.0
LIMIT_MILLISECONDS = LIMIT_SECONDS * 1000  # Playwright's unit
POLL_SECONDS = 0.05

# Where the product stops waiting for a neighbour. A busy machine must not look like an outage.
PRODUCT_LIMITS: tuple[tuple[Any, str], ...] = (
    (clients, "CONNECT_TIMEOUT_SECONDS"),
    (clients, "READ_TIMEOUT_SECONDS"),
    (hosted_ui, "TIMEOUT_SECONDS"),
    (key_cache, "DEADLINE_SECONDS"),
    (probes, "DEADLINE_SECONDS"),
    (postgresql, "HEALTH_CHECK_SECONDS"),
    (triggers, "DEADLINE_SECONDS"),
)
PRODUCTION_VALUES = {(module, name): getattr(module, name) for module, name in PRODUCT_LIMITS}


def lift_product_limits() -> None:
    """Let the product in this process wait as long as the tests do."""
    for module, name in PRODUCT_LIMITS:
        setattr(module, name, LIMIT_SECONDS)


def wait_until(condition: Callable[[], bool], *, poll_seconds: float = POLL_SECONDS) -> bool:
    """Wait for a condition and return whether it came true before the project's limit."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(poll_seconds)
    return True
