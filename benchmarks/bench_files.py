"""
What a signature costs, beside the bare botocore call for the same policy.

    python -m benchmarks.bench_files

Starts a PostgreSQL of its own. Nothing goes to AWS. "View" is the time inside `RequestSignatureView.get`.
Authentication and routing lie before it, for this route as for all others.
"""

import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from apps.core.aws import clients
from apps.devstack.postgresql import Cluster
from benchmarks import measure
from tests.support import environment

CALLS = 2000
NAME = "A plan set, final (2).pdf"
BARE = "the bare botocore call"
INSERT_PERSON = """
    INSERT INTO moped_users (user_id, first_name, last_name, title, email)
    VALUES (77, 'Jane', 'Doe', 'Planner', 'jane.doe@austintexas.gov')
"""


def main() -> None:
    """Measure and print the table."""
    with migrated():
        from django.conf import settings
        from django.db import connection

        from apps.files.models import Project

        with connection.cursor() as cursor:
            cursor.execute(INSERT_PERSON)
        Project.objects.create(project_name="Barton Springs Road")
        began = time.perf_counter()
        clients.post_policy_signer(settings.UPLOADS_BUCKET)
        print(f"cold: the client is built once, in {(time.perf_counter() - began) * 1e3:.0f} ms\n")
        print(measure.table(measure.in_turn(subjects(), CALLS), BARE, "2,000 calls"))


@contextmanager
def migrated() -> Iterator[None]:
    """Set Django up with an empty database of its own, until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="moped-bench-") as folder:
        cluster = Cluster(Path(folder) / "postgresql", durable=False)
        cluster.start()
        try:
            os.environ.pop("DATABASE_URL", None)  # of the shell, which may name a database that people use
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


def subjects() -> dict[str, Callable[[], Any]]:
    """Return what is measured, by name."""
    from apps.files import adapters, selectors
    from apps.files.views import RequestSignatureView

    key = f"private/project/1/77_11232026050403_{'0' * 16}_aplansetfinal2.pdf"
    view, request = RequestSignatureView(), editors_request()
    find_person, is_active_project = selectors.find_person, selectors.is_active_project
    person = find_person(77)

    def view_without_queries() -> None:
        selectors.find_person, selectors.is_active_project = lambda _: person, lambda _: True
        view.get(request)
        selectors.find_person, selectors.is_active_project = find_person, is_active_project

    return {
        BARE: lambda: botocore_call(key),
        "**view**": lambda: view.get(request),
        "its two queries": lambda: (find_person(77), is_active_project(1)),
        "**the view without the queries**": view_without_queries,
        "its signature": lambda: adapters.presign_upload(key=key, media_type="application/pdf"),
    }


def editors_request() -> Any:
    """Return what the view gets: an authenticated request."""
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


def botocore_call(key: str) -> Any:
    """Sign the same policy as boto3's documentation does it."""
    from django.conf import settings

    return clients.s3().generate_presigned_post(
        settings.UPLOADS_BUCKET,
        key,
        {"Content-Type": "application/pdf"},
        [["content-length-range", 0, settings.UPLOAD_MAX_BYTES], {"Content-Type": "application/pdf"}],
        settings.UPLOAD_FORM_SECONDS,
    )


if __name__ == "__main__":
    main()
