"""
Readiness: probes of the services that requests need, run in parallel within a second.

settings.READINESS_PROBES names them. A probe raises any exception if its service is not ready.
"""

import logging
from concurrent.futures import ThreadPoolExecutor, wait

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from apps.core import deadline
from apps.core.aws import clients, secrets
from apps.core.cache import RefreshingCache
from apps.core.errors import UnavailableError

logger = logging.getLogger(__name__)

DEADLINE_SECONDS = 1.0
# Cache the result so that frequent polling does not reach the services.
CACHED_SECONDS = 5


class NotReadyError(UnavailableError):
    """A service that requests need is not ready."""

    code = "not_ready"


def check() -> None:
    """
    Check that every service is ready.

    :raises NotReadyError: with the names of the probes that failed
    """
    down = _cache.get(None)
    if down:
        raise NotReadyError(f"Not ready: {', '.join(down)}.")


def _run_probes(_key: None) -> tuple[str, ...]:
    """Return the names of the probes that failed or did not answer in time."""
    clients.prepare()  # before the deadline begins, because it takes time
    pool = ThreadPoolExecutor(len(settings.READINESS_PROBES), thread_name_prefix="readiness")
    futures = {pool.submit(_probe, path): name for name, path in settings.READINESS_PROBES.items()}
    finished, late = wait(futures, DEADLINE_SECONDS)
    pool.shutdown(wait=False, cancel_futures=True)
    failed = {future for future in finished if future.exception()}
    for future in failed:
        logger.warning("probe_failed", extra={"probe": futures[future], "cause": repr(future.exception())})
    return tuple(sorted(futures[future] for future in failed | late))


def _probe(path: str) -> None:
    with deadline.limit(DEADLINE_SECONDS):  # ends the thread of a probe that hangs
        import_string(path)()


_cache: RefreshingCache[None, tuple[str, ...]] = RefreshingCache(
    _run_probes, CACHED_SECONDS, max_age=CACHED_SECONDS, pause=0
)


# ---- the probes ----------------------------------------------------------------------------------


def database() -> None:
    """Run a query on a connection of this thread."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()


def claims_table() -> None:
    """Read an item that does not exist. The function's role allows it."""
    clients.dynamodb().get_item(TableName=settings.CLAIMS_TABLE, Key={"user_id": {"S": "readiness"}})


def secret() -> None:
    """Read the configuration secret, from the cache if possible."""
    secrets.value(settings.CONFIGURATION_SECRET, "COGNITO_DYNAMO_SECRET_KEY")


def uploads_bucket() -> None:
    """List one key under our prefix. A preview's role allows no other one."""
    clients.s3().list_objects_v2(Bucket=settings.UPLOADS_BUCKET, Prefix=settings.UPLOADS_PREFIX, MaxKeys=1)
