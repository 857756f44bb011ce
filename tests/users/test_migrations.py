from __future__ import annotations

import pytest
from django.db import connection

from apps.users.models import MopedWorkgroup

pytestmark = pytest.mark.django_db


def tables(schema: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = %s", [schema])
        return {name for (name,) in cursor.fetchall()}


class TestMigrations:
    def test_put_nothing_of_ours_or_of_djangos_into_public(self) -> None:
        assert {"moped_users", "moped_workgroup"} <= tables("public")
        assert not {name for name in tables("public") if name.startswith(("django_", "auth_", "users_"))}

    def test_keep_what_is_ours_in_our_schema(self) -> None:
        assert {"django_migrations", "users_event", "users_pending_change"} <= tables("moped_api")

    def test_seed_the_citys_workgroups(self) -> None:
        assert MopedWorkgroup.objects.count() == 30
        assert set(MopedWorkgroup.objects.filter(is_deleted=True).values_list("workgroup_id", flat=True)) == {
            19,
            22,
        }
