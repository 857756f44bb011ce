"""
What a signature costs, beside the bare botocore call for the same policy.

    python benchmarks/bench_files.py

Starts a PostgreSQL of its own; nothing here goes to AWS. "View" is the time inside
`RequestSignatureView.get`; authentication and routing lie before it, for this route as for all others.
Single calls, taken in turn, so that whatever else the machine does is shared by all of them. On a
busy machine the median is mostly waiting for a processor; the fastest tenth was left alone, and the
time of the process alone leaves out PostgreSQL's.
"""

from __future__ import annotations

import logging
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from apps.core.aws import clients
from apps.devstack import environment
from apps.devstack.postgresql import Cluster, database_url

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

CALLS = 2000
NAME = "A plan set, final (2).pdf"
INSERT_PERSON = """
    INSERT INTO moped_users (user_id, first_name, last_name, title, email)
    VALUES (77, 'Jane', 'Doe', 'Planner', 'jane.doe@austintexas.gov')
"""


def main() -> None:
    """Start a database, measure, stop it."""
    with tempfile.TemporaryDirectory(prefix="moped-bench-") as folder:
        cluster = Cluster(Path(folder) / "postgresql", durable=False)
        cluster.start()
        try:
            prepare(database_url(cluster.folder))
            cold()
            report(in_turn(subjects()))
        finally:
            cluster.stop()


def prepare(url: str) -> None:
    """Make this process the API, with one person and one project in its database."""
    environment.apply_for_tests(url)
    os.environ["DJANGO_SETTINGS_MODULE"] = "moped_api.settings"
    os.environ["AWS_SESSION_TOKEN"] = "x" * 700  # as long as a role's
    import django

    django.setup()
    logging.getLogger().handlers = [logging.NullHandler()]
    from django.core.management import call_command
    from django.db import connection

    from apps.files.models import Project

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(INSERT_PERSON)
    Project.objects.create(project_name="Barton Springs Road")


def subjects() -> dict[str, Callable[[], Any]]:
    """Return what is measured, by name."""
    from apps.files import adapters, selectors
    from apps.files.views import RequestSignatureView

    key = f"private/project/1/77_11232026050403_{'0' * 16}_aplansetfinal2.pdf"
    view, request = RequestSignatureView(), editors_request()
    find_person, person = selectors.find_person, selectors.find_person(77, 1)

    def view_alone() -> None:
        selectors.find_person = lambda *_: person
        view.get(request)
        selectors.find_person = find_person

    return {
        "bare botocore call": lambda: bare(key),
        "view": lambda: view.get(request),
        "  its one query": lambda: find_person(77, 1),
        "  the view without it": view_alone,
        "  its signature": lambda: adapters.presign_upload(key=key, media_type="application/pdf"),
    }


def editors_request() -> Any:
    """Return what the view is given: an authenticated request."""
    from rest_framework.request import Request
    from rest_framework.test import APIRequestFactory

    from apps.auth.callers import CognitoUser
    from apps.claims.hasura import HasuraClaims

    claims = HasuraClaims(database_id="77", allowed_roles=("moped-editor",))
    token: Any = dict.fromkeys(CognitoUser.__struct_fields__, "")
    token |= {"sub": "77", "email": "jane.doe@austintexas.gov", "claims": claims}
    request: Any = Request(APIRequestFactory().get("/", {"file": NAME, "project_id": 1}))
    request.user = CognitoUser(**token)
    return request


def bare(key: str) -> Any:
    """Sign the same policy as boto3's documentation does it."""
    from django.conf import settings

    return clients.s3().generate_presigned_post(
        settings.UPLOADS_BUCKET,
        key,
        {"Content-Type": "application/pdf"},
        [["content-length-range", 0, settings.UPLOAD_MAX_BYTES], {"Content-Type": "application/pdf"}],
        settings.UPLOAD_SECONDS,
    )


def cold() -> None:
    """Say what the first signature of a process pays."""
    from django.conf import settings

    started = time.perf_counter()
    clients.post_policy_signer(settings.UPLOADS_BUCKET)
    print(f"cold: the client is built once, in {(time.perf_counter() - started) * 1e3:.0f} ms\n")


class Times(NamedTuple):
    """What a call takes, in microseconds: by the clock, undisturbed, and of this process alone."""

    median: float
    tenth: float
    process: float


def in_turn(calls: dict[str, Callable[[], Any]]) -> dict[str, Times]:
    """Return what each call takes."""
    times: dict[str, list[tuple[int, int]]] = {name: [] for name in calls}
    for _ in range(CALLS):
        for name, call in calls.items():
            clock, process = time.perf_counter_ns(), time.thread_time_ns()
            call()
            times[name].append((time.perf_counter_ns() - clock, time.thread_time_ns() - process))
    return {
        name: Times(median(clock), statistics.quantiles(clock, n=10)[0] / 1e3, median(process))
        for name, samples in times.items()
        for clock, process in [zip(*samples, strict=True)]
    }


def median(nanoseconds: Iterable[int]) -> float:
    """Return the median in microseconds."""
    return statistics.median(nanoseconds) / 1e3


def report(times: dict[str, Times]) -> None:
    """Print the table."""
    bare_call = times["bare botocore call"]
    heads = ("median µs", "per s", "x bare", "tenth µs", "x bare", "process µs", "x bare")
    print(" " * 24 + "".join(f"{head:>11}" for head in heads))
    for name, call in times.items():
        ratios = [mine / bares for mine, bares in zip(call, bare_call, strict=True)]
        print(
            f"{name:24}{call.median:11.0f}{1e6 / call.median:11.0f}{ratios[0]:11.2f}"
            f"{call.tenth:11.0f}{ratios[1]:11.2f}{call.process:11.0f}{ratios[2]:11.2f}"
        )


if __name__ == "__main__":
    main()
