"""Health: messages for the City's monitors, and `/health/` for programs."""

from datetime import UTC, datetime
from typing import ClassVar

from django.conf import settings
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.health import probes


class PublicView(APIView):
    """A view without authentication."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class LivenessView(PublicView):
    """Whether this process answers at all."""

    def get(self, request: Request) -> Response:
        """
        Say that the process is alive.

        It calls no other service.
        """
        return _process_status("live")


class ReadinessView(PublicView):
    """Whether the services that requests need are ready."""

    def get(self, request: Request) -> Response:
        """
        Say that all services are ready, or name those that are not.

        The pool's key set, the database, the claims table, the bucket and the secrets are checked
        in parallel, within one second. The result is cached for five seconds.
        """
        probes.check()
        return _process_status("ready")


def _process_status(status: str) -> Response:
    process = {"stage": settings.STAGE, "version": settings.VERSION, "commit": settings.COMMIT}
    return Response({"status": status, **process})


class HealthMessageView(PublicView):
    """
    Say that the API is there.

    It calls no other service. The message is that of the Flask API. The time is in UTC.
    """

    subject: ClassVar[str] = ""

    def get(self, request: Request) -> Response:
        """Answer `MOPED API Available - …`."""
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
        return Response({"message": f"MOPED API Available - {self.subject}Health Check - Available @ {now}"})


class RootView(HealthMessageView):
    """
    Say that the API is there.

    It says who is calling, manages staff accounts, and signs uploads and downloads of files. GraphQL cannot
    do these things for the City of Austin's mobility project database.
    """

    name = "Moped API"
