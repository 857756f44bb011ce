"""Health for machines: `/health/live` touches nothing, `/health/ready` asks the neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core import readiness
from apps.core.operation import Operation, describe

if TYPE_CHECKING:
    from rest_framework.request import Request

STATUS = {
    "type": "object",
    "required": ["status", "stage", "version", "commit"],
    "properties": {name: {"type": "string"} for name in ("status", "stage", "version", "commit")},
}
EXAMPLE = {"stage": "staging", "version": "1.0.0", "commit": "3f64c53"}


@describe(get=Operation(answer=STATUS, answer_example={"status": "live", **EXAMPLE}))
class Live(APIView):
    """Whether this process answers at all."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def get(self, request: Request) -> Response:
        """Say that the process is alive; nothing else is asked."""
        return _running("live")


@describe(
    get=Operation(
        answer=STATUS, answer_example={"status": "ready", **EXAMPLE}, errors=(readiness.NotReadyError,)
    )
)
class Ready(APIView):
    """
    Whether what requests need is there.

    The pool's key set, the database, the claims table, the bucket and the secrets are asked in
    parallel, within a second in all; an answer is remembered for five.
    """

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def get(self, request: Request) -> Response:
        """Say that everything is there, or name what is not."""
        readiness.require()
        return _running("ready")


def _running(status: str) -> Response:
    return Response(
        {
            "status": status,
            "stage": settings.STAGE,
            "version": settings.VERSION,
            "commit": settings.COMMIT,
        }
    )
