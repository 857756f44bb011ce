"""Routes that go wrong in every way there is."""

from typing import Any, NoReturn

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest
from rest_framework import exceptions
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.auth.permissions import IsSignedIn
from apps.core import errors
from apps.core.http.routes import route
from moped_api import urls
from moped_api.urls import handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


class FieldError(errors.ConflictError):
    code = "taken"
    message = "It is taken."
    field = "email"


FAILURES: dict[str, Exception] = {
    "invalid": errors.InvalidError(),
    "unauthenticated": errors.UnauthenticatedError(),
    "forbidden": errors.ForbiddenError(),
    "not_found": errors.NotFoundError(),
    "conflict": FieldError(),
    "upstream": errors.UpstreamError(),
    "unavailable": errors.UnavailableError(),
    "http404": Http404(),
    "denied": PermissionDenied(),
    "throttled": exceptions.Throttled(wait=3),
    "nested": exceptions.ValidationError(
        {"address": {"street": ["Too long."]}, "roles": [{"0": ["Unknown."]}]}
    ),
    "general": exceptions.ValidationError({"non_field_errors": ["These two contradict each other."]}),
    "crash": ZeroDivisionError("a secret in a message"),
}


class Failing(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    def get(self, request: Request, failure: str) -> NoReturn:
        raise FAILURES[failure]


class Echo(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    def post(self, request: Request) -> Response:
        return Response(request.data)


class Signed(APIView):
    permission_classes = (IsSignedIn,)

    def post(self, request: Request) -> Response:
        """Do something that needs `care`."""
        return Response({"by": str(request.user)})


def plainly(request: HttpRequest, failure: str) -> Any:
    raise {
        "suspicious": SuspiciousOperation("x"),
        "large": RequestDataTooBig("x"),
        "denied": PermissionDenied(),
        "crash": OSError("x"),
    }[failure]


urlpatterns = [
    *urls.urlpatterns,
    route("fail/<failure>", Failing.as_view(), name="failing"),
    route("echo", Echo.as_view(), name="echo"),
    route("signed", Signed.as_view(), name="signed"),
    route("plain/<failure>", plainly, name="plain"),
]
