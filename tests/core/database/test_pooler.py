"""Through PgBouncer, which gives each transaction another server connection and refuses `options`."""

import re
import runpy
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any

import psycopg
import pytest
from django.conf import settings as configured
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import OperationalError, connection, connections, transaction
from pytest_django.plugin import DjangoDbBlocker

from apps.core.database.postgresql.base import DatabaseWrapper
from apps.devstack.postgresql import DATABASE, Cluster
from apps.files.models import Project
from tests.conftest import Caller
from tests.files.conftest import make_person
from tests.support.pooler import pgbouncer

Connect = Callable[..., AbstractContextManager[None]]


pytestmark = pytest.mark.slow(cost=5)

ROLE, FORGOTTEN = "moped", "forgotten"
BACKEND = "SELECT pg_backend_pid()"


def documented_sql() -> str:
    """Return the statements that the documentation tells an operator to execute."""
    page = (configured.BASE_DIR / "docs" / "database.md").read_text()
    return "\n".join(re.findall(r"```sql\n(\s*ALTER ROLE.*?)```", page, re.DOTALL))


def database_settings(**variables: str) -> dict[str, Any]:
    """Return the database as the settings have it with these variables."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        databases = runpy.run_path(str(configured.BASE_DIR / "moped_api" / "settings.py"))["DATABASES"]
    return {**configured.DATABASES["default"], **databases["default"]}


@pytest.fixture(scope="module")
def pooler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """PgBouncer before a server where the operator did what the documentation says, for one role."""
    cluster = Cluster(tmp_path_factory.mktemp("pooled"), durable=False)
    cluster.start()
    with psycopg.connect(cluster.url, autocommit=True) as direct:
        for role in (ROLE, FORGOTTEN):
            direct.execute(f"CREATE ROLE {role} LOGIN SUPERUSER".encode())
        direct.execute(documented_sql().encode())
    with pgbouncer(cluster, tmp_path_factory.mktemp("pooler"), ROLE, FORGOTTEN) as address:
        yield address
    cluster.stop()


@pytest.fixture
def connect(pooler: str, django_db_blocker: DjangoDbBlocker) -> Connect:
    """`with connect(role)` lets Django use the database through the pooler."""

    @contextmanager
    def through_pooler(role: str = ROLE, *, setting: str = "true") -> Iterator[None]:
        url = f"postgresql://{role}@{pooler}/{DATABASE}"
        database = database_settings(DATABASE_URL=url, MOPED_API_DATABASE_POOLER=setting)
        usual = connections["default"]
        with django_db_blocker.unblock(), closing(DatabaseWrapper(database, alias="default")) as other:
            connections["default"] = other
            yield
            connections["default"] = usual

    return through_pooler


@pytest.fixture
def migrated(connect: Connect) -> Iterator[None]:
    """Django uses the migrated database through the pooler."""
    with connect():
        call_command("migrate", verbosity=0)
        yield


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute(BACKEND)
        return int(cursor.fetchone()[0])


def use_both_backends() -> set[int]:
    """Execute two transactions at once, so that the pooler opens both of its server connections."""
    with closing(connection.copy()) as other, transaction.atomic(), other.cursor() as cursor:
        cursor.execute(BACKEND)
        return {backend(), *cursor.fetchone()}


class TestPooler:
    def test_is_refused_without_the_setting(self, connect: Connect) -> None:
        refusal = pytest.raises(OperationalError, match="unsupported startup parameter: options")
        with connect(setting="false"), refusal:
            connection.ensure_connection()

    def test_refuses_to_migrate_without_the_roles_parameters(self, connect: Connect) -> None:
        refusal = pytest.raises(ImproperlyConfigured, match="lacks search_path, stat")
        with connect(FORGOTTEN), refusal:
            call_command("migrate", verbosity=0)

    @pytest.mark.usefixtures("migrated")
    def test_serves_requests_over_changing_backends(self, calling: Caller) -> None:
        backends = use_both_backends()
        make_person()
        project = Project.objects.create(project_name="Barton Springs Road")
        client, url = calling(), f"/files/request-signature?file=Plan.pdf&project_id={project.pk}"

        statuses = [client.get(url).status_code for _ in range(12)]

        assert set(statuses) == {200}
        assert {backend() for _ in range(2)} == backends

    @pytest.mark.usefixtures("migrated")
    def test_prepares_nothing(self) -> None:
        use_both_backends()
        for _ in range(2):
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM pg_prepared_statements")
                assert cursor.fetchone() == (0,)
