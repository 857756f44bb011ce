"""The API in this process, with a PostgreSQL of its own."""

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from apps.devstack.postgresql import Cluster
from tests.support import environment


@contextmanager
def migrated() -> Iterator[None]:
    """Set Django up with an empty database of its own, until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="moped-bench-") as folder:
        cluster = Cluster(Path(folder) / "postgresql", durable=False)
        cluster.start()
        try:
            environment.apply(cluster.url)
            os.environ["AWS_SESSION_TOKEN"] = "x" * 700  # as long as a role's
            import django

            django.setup()
            logging.getLogger().handlers = [logging.NullHandler()]
            from django.core.management import call_command

            call_command("migrate", verbosity=0)
            yield
        finally:
            cluster.stop()
