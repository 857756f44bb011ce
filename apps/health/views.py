"""Health: messages for the City's monitors, and `/health/` for machines."""

from datetime import UTC, datetime
from typing import ClassVar

from django.conf import settings
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.health import probes


class PublicView(APIView):
    """A view that does not ask who is calling."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class LivenessView(PublicView):
    """Whether this process answers at all."""

    def get(self, request: Request) -> Response:
        """
        Say that the process is alive.

        Nothing else is asked.
        """
        return _running("live")


class ReadinessView(PublicView):
    """Whether what requests need is there."""

    def get(self, request: Request) -> Response:
        """
        Say that everything is there, or name what is not.

        The pool's key set, the database, the claims table, the bucket and the secrets are asked in
        parallel, within a second in all. An answer is remembered for five seconds.
        """
        probes.check()
        return _running("ready")


def _running(status: str) -> Response:
    process = {"stage": settings.STAGE, "version": settings.VERSION, "commit": settings.COMMIT}
    return Response({"status": status, **process})


class HealthMessageView(PublicView):
    """
    Say that the API is there.

    Nothing behind it is asked. The words are the ones the Flask API used; the clock is UTC.
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
