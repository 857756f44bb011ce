"""Additions to DRF's generic views."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

from rest_framework.generics import GenericAPIView
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from apps.core.http.negotiation import sent_query


class QueryView(GenericAPIView[Any]):
    """A view that declares its query. The pages show it as a form, the reference as parameters."""

    query_serializer_class: ClassVar[type[BaseSerializer[Any]] | None] = None

    @cached_property
    def query(self) -> dict[str, Any]:
        """
        Return the validated query.

        :raises ValidationError: with the messages of all parameters that are wrong
        """
        if self.query_serializer_class is None:
            return {}
        serializer = self.query_serializer_class(data=sent_query(self.request))
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data  # type: ignore[no-any-return]


class CountedPagination(LimitOffsetPagination):
    """Answers `{"count": …, "results": […]}`. `limit` and `offset` are fields of the view's query."""

    def get_limit(self, request: Request) -> int:
        """Return the size of a page."""
        return int(request.parser_context["view"].query["limit"])

    def get_offset(self, request: Request) -> int:
        """Return the number of results before the page."""
        return int(request.parser_context["view"].query["offset"])

    def get_paginated_response(self, data: Sequence[Mapping[str, Any]]) -> Response:
        """Return the body, without DRF's links, as in the Flask API."""
        return Response({"count": self.count, "results": data})
