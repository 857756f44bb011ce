"""What signatures ask the database, when its connection was lost."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection

from apps.files import queries


@pytest.mark.django_db(transaction=True)
class TestLostConnection:
    @pytest.fixture(autouse=True)
    def _lost(self) -> None:
        queries.has_live_row("private/project/1/x")
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (backend,) = cursor.fetchone()
        another = connection.copy()
        with another.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
        another.close()

    def test_is_made_anew_by_the_next_request(self) -> None:
        connection.close_if_unusable_or_obsolete()  # what Django does when a request begins

        assert queries.has_live_row("private/project/1/x") is False

    def test_is_told_as_django_tells_it(self) -> None:
        with pytest.raises(OperationalError):
            queries.has_live_row("private/project/1/x")
        connection.close()
