"""The context of the current request, for log lines and error bodies."""

import os
import re
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

# An HTTP API's ids end in "=". A caller can set all three ids: REST APIs accept X-Amzn-RequestId.
VALID_REQUEST_ID = re.compile(r"[A-Za-z0-9._=-]{8,64}", re.ASCII)


@dataclass(slots=True)
class RequestContext:
    """The ids of one request. `code` is the code of its error, or ""."""

    request_id: str = "-"
    client_address: str = ""
    code: str = ""
    started: float = field(default_factory=time.perf_counter)


_current: ContextVar[RequestContext | None] = ContextVar("request_context", default=None)


def current() -> RequestContext:
    """Return the context of the current request, or an empty one outside of a request."""
    return _current.get() or RequestContext()


def begin(environ: Mapping[str, Any]) -> RequestContext:
    """Start a new request context. `X-Forwarded-For` is not read: callers can forge it."""
    context = RequestContext(_request_id(environ), environ.get("REMOTE_ADDR", ""))
    _current.set(context)
    return context


def end() -> None:
    """End the context, so that a later log line does not contain the id of this request."""
    _current.set(None)


def _request_id(environ: Mapping[str, Any]) -> str:
    """Return the first valid id of those from API Gateway, Lambda and the caller, or a new one."""
    lambda_id = getattr(environ.get("lambda.context"), "aws_request_id", "")
    for candidate in (environ.get("gateway.request_id"), lambda_id, environ.get("HTTP_X_REQUEST_ID")):
        if candidate and VALID_REQUEST_ID.fullmatch(str(candidate)):
            return str(candidate)
    return os.urandom(16).hex()
