"""
The readiness probes: run in parallel, within a second, with a cached result.

`settings.READINESS_PROBES` lists them. A probe returns if its backend works and raises any exception
otherwise.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Lock

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from apps.core import deadline
from apps.core.aws import clients, secrets
from apps.core.errors import UnavailableError

logger = logging.getLogger(__name__)

DEADLINE_SECONDS = 1.0
# Cache the result, so that frequent polling does not reach the backends.
REMEMBERED_SECONDS = 5.0


class NotReadyError(UnavailableError):
    """A backend that requests need is unavailable."""

    code = "not_ready"


class _CachedResult:
    def __init__(self) -> None:
        self.lock = Lock()
        self.down: tuple[str, ...] = ()
        self.until = 0.0


_last_result = _CachedResult()


def forget() -> None:
    """Run the probes again at the next call (tests)."""
    _last_result.until = 0.0


def check() -> None:
    """
    Return if every backend works.

    :raises NotReadyError: naming what is not
    """
    with _last_result.lock:  # one thread runs the probes, the others wait for the result
        if time.monotonic() >= _last_result.until:
            _last_result.down = _run_probes()
            _last_result.until = time.monotonic() + REMEMBERED_SECONDS
        down = _last_result.down
    if down:
        raise NotReadyError(f"Not ready: {', '.join(down)}.")


def _run_probes() -> tuple[str, ...]:
    """Return the names of the probes that failed or did not answer in time."""
    for client in (clients.dynamodb, clients.s3, clients.secrets_manager):
        client()  # building the first ones takes our time, not our neighbours'
    pool = ThreadPoolExecutor(len(settings.READINESS_PROBES), thread_name_prefix="readiness")
    futures = {pool.submit(_probe, path): name for name, path in settings.READINESS_PROBES.items()}
    finished, late = wait(futures, DEADLINE_SECONDS)
    pool.shutdown(wait=False, cancel_futures=True)
    failed = {future for future in finished if future.exception()}
    for future in failed:
        logger.warning("probe_failed", extra={"probe": futures[future], "cause": repr(future.exception())})
    return tuple(sorted(futures[future] for future in failed | late))


def _probe(path: str) -> None:
    with deadline.within(DEADLINE_SECONDS):  # so that its thread ends soon after, and none pile up
        import_string(path)()


# ---- the probes of what core itself knows --------------------------------------------------------


def database() -> None:
    """Run an empty query on a connection of this thread's own."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()


def claims_table() -> None:
    """Read an item that is not there, as the function's role may."""
    clients.dynamodb().get_item(TableName=settings.CLAIMS_TABLE, Key={"user_id": {"S": "readiness"}})


def secret() -> None:
    """Read the configuration secret, or find it read already."""
    secrets.value(settings.CONFIGURATION_SECRET, "COGNITO_DYNAMO_SECRET_KEY")


def uploads_bucket() -> None:
    """List one key under our prefix: the role of a preview may list no more of the bucket."""
    clients.s3().list_objects_v2(Bucket=settings.UPLOADS_BUCKET, Prefix=settings.UPLOADS_PREFIX, MaxKeys=1)
