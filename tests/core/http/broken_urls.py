"""Routes that go wrong in every way there is."""

from typing import Any, NamedTuple, NoReturn

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


class Failure(NamedTuple):
    """What a view raises, and what the caller gets."""

    error: Exception
    status: int
    code: str
    fields: dict[str, list[str]] | None = None


FAILURES = {
    "invalid": Failure(errors.InvalidError(), 400, "invalid"),
    "unauthenticated": Failure(errors.UnauthenticatedError(), 401, "unauthenticated"),
    "forbidden": Failure(errors.ForbiddenError(), 403, "forbidden"),
    "not_found": Failure(errors.NotFoundError(), 404, "not_found"),
    "conflict": Failure(FieldError(), 409, "taken", {"email": ["It is taken."]}),
    "upstream": Failure(errors.UpstreamError(), 502, "upstream_error"),
    "unavailable": Failure(errors.UnavailableError(), 503, "unavailable"),
    "http404": Failure(Http404(), 404, "not_found"),
    "denied": Failure(PermissionDenied(), 403, "permission_denied"),
    "throttled": Failure(exceptions.Throttled(wait=3), 429, "throttled"),
    "nested": Failure(
        exceptions.ValidationError({"address": {"street": ["Too long."]}, "roles": [{"0": ["Unknown."]}]}),
        400,
        "invalid",
        {"address.street": ["Too long."], "roles": ["Unknown."]},
    ),
    "general": Failure(
        exceptions.ValidationError({"non_field_errors": ["These two contradict each other."]}), 400, "invalid"
    ),
    "no_message": Failure(exceptions.ValidationError({}), 400, "invalid"),
    "crash": Failure(ZeroDivisionError("a secret in a message"), 500, "internal_error"),
}


class Failing(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    def get(self, request: Request, failure: str) -> NoReturn:
        raise FAILURES[failure].error


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
