"""After a failover the server of a kept connection is a standby, which refuses writes."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest
from django.db import connection, transaction
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from apps.files.models import Project

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from rest_framework.request import Request

pytestmark = pytest.mark.django_db(transaction=True)


class ProjectView(APIView):
    """A view that writes, in a transaction or without one."""

    permission_classes = (AllowAny,)
    block: Callable[[], AbstractContextManager[object]] = transaction.atomic

    def post(self, _request: Request) -> Response:
        with self.block():
            return Response({"id": Project.objects.create(project_name="Barton Springs Road").pk})


@pytest.mark.parametrize("block", [transaction.atomic, nullcontext])
class TestStandby:
    def test_answers_503_and_then_serves_again(
        self, block: Callable[[], AbstractContextManager[object]]
    ) -> None:
        view, request = ProjectView.as_view(block=staticmethod(block)), APIRequestFactory().post("/")
        with connection.cursor() as cursor:  # of this connection alone: the next one reaches the primary
            cursor.execute("SET default_transaction_read_only = on")

        refusal = view(request)

        assert (refusal.status_code, refusal.data["code"]) == (503, "unavailable")
        assert refusal["Retry-After"]
        connection.close_if_unusable_or_obsolete()  # as at the beginning of a request
        assert view(request).status_code == 200
