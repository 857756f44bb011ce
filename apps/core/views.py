"""The root and the health messages that monitors of the City read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core.operation import Operation, describe

if TYPE_CHECKING:
    from rest_framework.request import Request


MESSAGE = {
    "type": "object",
    "required": ["message"],
    "properties": {"message": {"type": "string"}},
}
HEALTHY = Operation(
    answer=MESSAGE,
    answer_example={"message": "MOPED API Available - Health Check - Available @ 2026-11-23 12:00:00"},
)


@describe(get=HEALTHY)
class Health(APIView):
    """
    Say that the API is there.

    Nothing behind it is asked. The words are the ones the Flask API used; the clock is UTC.
    """

    authentication_classes = ()
    permission_classes = (AllowAny,)
    subject: ClassVar[str] = ""

    def get(self, request: Request) -> Response:
        """Answer `MOPED API Available - …`."""
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
        return Response({"message": f"MOPED API Available - {self.subject}Health Check - Available @ {now}"})


class Root(Health):
    """
    The Moped API.

    Who is calling, staff accounts, file uploads and downloads: what GraphQL cannot do for
    the City of Austin's mobility project database.
    """
