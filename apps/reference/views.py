"""`/docs/` and the OpenAPI document. Only a stage with browser pages has these routes."""

from functools import cache
from threading import Lock
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core.http import problems, routes

# Generators share state. Two at the same time fail, or lose parts of the document.
_generating = Lock()


@cache
def openapi_document() -> dict[str, Any]:
    """Return the OpenAPI document of all routes. A process builds it only once."""
    with _generating:
        document: dict[str, Any] = SchemaGenerator().get_schema(  # type: ignore[no-untyped-call]
            request=None, public=True
        )
    return document


class OpenAPIView(APIView):
    """The reference as an OpenAPI 3.1 document."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def get(self, request: Request) -> Response:
        """Return the OpenAPI document of all routes."""
        prefix = request.META.get("SCRIPT_NAME", "")
        return Response(openapi_document() | {"servers": [{"url": prefix or "/"}]})


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show the reference, on which people can try out the routes."""
    return render(request, "moped/docs.html")


@require_safe
def open_route(request: HttpRequest) -> HttpResponse:
    """Redirect to the page of a route, with the parameters from the list of routes."""
    parameters = request.GET.dict()
    name = parameters.pop("route", "")
    names = {route.name for route in routes.listing()}
    try:
        return HttpResponseRedirect(reverse(name if name in names else "", kwargs=parameters))
    except NoReverseMatch:
        return problems.not_found(request, Http404())
