"""The laptop's HTTP server, as a stage's gateway speaks: no version, the one body for its own refusals."""

import os
from http import HTTPStatus
from typing import Any

import msgspec
from django.core.servers import basehttp

from apps.core.http import headers, problems

# Do not send a Server header: without a name there is none.
basehttp.ServerHandler.server_software = None  # type: ignore[assignment]


class RequestHandler(basehttp.WSGIRequestHandler):
    """Refuses lines that are too long, or no HTTP, as API Gateway does (apps.deployment.aws.rest_api)."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer a request that no application will ever see."""
        self.close_connection = True
        self.request_version = self.protocol_version  # who speaks none would get no headers
        request_id = os.urandom(16).hex()
        detail = f"The request cannot be read: {message or HTTPStatus(code).phrase}."
        body = msgspec.json.encode(problems.details(code, "bad_request", detail, request_id=request_id))
        self.send_response_only(code)
        for name, value in {
            **headers.ALWAYS,
            "Content-Security-Policy": headers.POLICY_OF_DATA,
            "Content-Type": problems.CONTENT_TYPE,
            "Content-Length": str(len(body)),
            "Access-Control-Allow-Origin": "*",
            "X-Request-ID": request_id,
            "Connection": "close",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class Server(basehttp.WSGIServer):
    """Django's, with our handler in place of the one that it is given."""

    def __init__(self, address: Any, _handler: Any, **options: Any) -> None:
        super().__init__(address, RequestHandler, **options)
