"""
Forms of the browsable pages: they work without JavaScript.

A browser can send GET and POST only, and no JSON. `_method` names the real method, `_content` is a JSON body.
"""

import io
from collections.abc import Callable, Mapping
from typing import IO, Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.parsers import FormParser

from apps.core.http import negotiation
from apps.core.http.parsers import JsonParser

METHOD, CONTENT, CSRF_TOKEN = "_method", "_content", "csrfmiddlewaretoken"
METHODS = frozenset({"PUT", "DELETE", "OPTIONS"})


class FormMethodMiddleware:
    """Gives a form's request the method that the form names."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request."""
        is_form = request.content_type == negotiation.FORM and negotiation.accepts_html(request)
        if request.method == "POST" and is_form:
            if request.POST.get(METHOD) in METHODS:
                request.method = request.POST[METHOD]
            # Django's CSRF check looks into the body of a POST only.
            request.META.setdefault("HTTP_X_CSRFTOKEN", request.POST.get(CSRF_TOKEN, ""))
        return self.get_response(request)


class HtmlFormParser(FormParser):
    """Parses the fields of a form, or the JSON in its field `_content`."""

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """
        Return the fields without those of the form itself.

        :raises ParseError: if `_content` is not a JSON object
        """
        fields = super().parse(stream, media_type, parser_context).copy()
        if CONTENT in fields:
            return JsonParser().parse(io.BytesIO(str(fields[CONTENT]).encode()))
        for name in (METHOD, CSRF_TOKEN):
            fields.pop(name, None)
        return fields
