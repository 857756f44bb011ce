"""The WSGI application for gunicorn and Lambda."""

import os
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "moped_api.settings")
django.setup(set_prefix=False)


class Request(WSGIRequest):
    """
    A request that is always decoded as UTF-8.

    Django decodes the query with the charset of the Content-Type, before any middleware can handle
    an error. `charset=hex`, for example, is a codec, but not one for text.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))


class Handler(WSGIHandler):
    """Django's handler with our request."""

    request_class = Request


application = Handler()
