"""The outermost edge: how a WSGI environment becomes a request."""

from __future__ import annotations

from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters


class Request(WSGIRequest):
    """
    A request in UTF-8, whatever it says.

    Django believes the charset of a Content-Type and decodes the query with it, before any
    middleware could answer for what goes wrong: `charset=hex` is a codec, but none for text.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))


class Handler(WSGIHandler):
    """Django's handler with our request."""

    request_class = Request
