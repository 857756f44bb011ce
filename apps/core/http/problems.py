"""
Turns failures into a status and an error body. No other module does so.

Failures of views, of Django and crashes all have the same body: the problem details of RFC 9457.
`error` maps the names of fields to lists of messages, as the editor shows them. It is absent if
the failure is not about a field.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import msgspec
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings

from apps.core import errors
from apps.core.context import current
from apps.core.http import negotiation
from apps.core.http.parsers import BodyTooLarge

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
REALM = "moped"
TOKEN_MISSING = "token_missing"  # noqa: S105 (a reason code)

# The name in RFC 9110. Python uses it from 3.13 on.
RENAMED = {413: "Content Too Large"}

NOT_FOUND_DETAIL = "There is no such page or route."
BAD_REQUEST_DETAIL = "The request is not valid."
INTERNAL_ERROR_DETAIL = "Something went wrong on our side. The request id finds it in our log."
HOW_TO_AUTHENTICATE = exceptions.ErrorDetail(
    "Sign in, or send an ID token of the user pool as `Authorization: Bearer <token>`.", TOKEN_MISSING
)

STATUS_OF_KIND: dict[type[errors.MopedError], HTTPStatus] = {
    errors.InvalidError: HTTPStatus.BAD_REQUEST,
    errors.UnauthenticatedError: HTTPStatus.UNAUTHORIZED,
    errors.ForbiddenError: HTTPStatus.FORBIDDEN,
    errors.NotFoundError: HTTPStatus.NOT_FOUND,
    errors.ConflictError: HTTPStatus.CONFLICT,
    errors.UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.UpstreamError: HTTPStatus.BAD_GATEWAY,
}


class WrappedMopedError(exceptions.APIException):
    """
    Wraps one of our errors, so that an authentication class can raise it.

    DRF resets `request.user` only after an APIException. Any other exception would be raised again
    when the response is built.
    """

    def __init__(self, error: errors.MopedError) -> None:
        super().__init__(str(error), error.code)
        self.error = error


def status_of(error: errors.MopedError) -> HTTPStatus:
    """Return the status for an error: that of the nearest base class with a status."""
    kinds = (STATUS_OF_KIND[kind] for kind in type(error).__mro__ if kind in STATUS_OF_KIND)
    return next(kinds, HTTPStatus.INTERNAL_SERVER_ERROR)


def title(status: int) -> str:
    """Return the name of a status, the same in every version of Python."""
    return RENAMED.get(status, HTTPStatus(status).phrase)


def details(
    status: int, code: str, detail: str, fields: dict[str, list[str]] | None = None, *, request_id: str
) -> dict[str, Any]:
    """Return the error body."""
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": title(status),
        "status": int(status),
        "code": code,
        "detail": detail,
    }
    if fields:
        problem["error"] = fields
    return problem | {"request_id": request_id}


def body(status: int, code: str, detail: str, fields: dict[str, list[str]] | None = None) -> dict[str, Any]:
    """Return the error body for the current request, and keep the code for its log line."""
    context = current()
    context.code = code
    return details(status, code, detail, fields, request_id=context.request_id)


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Return the response for an exception of a view, or None for an unexpected one."""
    from rest_framework import views  # noqa: PLC0415 (its defaults import this module)

    error = _translate(exc)
    if isinstance(error, errors.MopedError):
        return _from_moped_error(error)
    if isinstance(error, exceptions.NotAuthenticated):
        error.detail = HOW_TO_AUTHENTICATE
    response = views.exception_handler(error, context)
    if response is not None:
        response.data = _from_drf_body(response.status_code, response.data)
    return response


def _translate(error: Exception) -> Exception:
    """Return the MopedError that an exception wraps or stands for, else the exception."""
    if isinstance(error, WrappedMopedError):
        return error.error
    if isinstance(error, OperationalError | InterfaceError):
        unavailable = errors.UnavailableError()
        unavailable.__cause__ = error
        return unavailable
    return error


def _from_moped_error(error: errors.MopedError) -> Response:
    status, headers = status_of(error), _retry_after(error)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = challenge(error.code, str(error))
    _log_fault(error)
    return Response(body(status, error.code, str(error), error.fields), status=status, headers=headers)


def _retry_after(error: errors.MopedError) -> dict[str, str]:
    return {"Retry-After": str(error.retry_after)} if isinstance(error, errors.UnavailableError) else {}


def _log_fault(error: errors.MopedError) -> None:
    """Log the cause of a 5xx, which the body does not contain."""
    if status_of(error) >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error(error.code, extra={"detail": str(error), "cause": repr(error.__cause__)})


def _from_drf_body(status: int, data: Any) -> dict[str, Any]:
    """Return our error body for DRF's, which is `{"detail": …}` or messages by field."""
    detail = data.get("detail") if isinstance(data, dict) else None
    if isinstance(detail, exceptions.ErrorDetail):
        return body(status, str(detail.code), str(detail))
    messages, fields = list(_messages(data)), defaultdict(list)
    for field, text in messages:
        if field is not None:
            fields[field].append(text)
    return body(status, "invalid", errors.InvalidError.message if fields else messages[0][1], fields)


def challenge(code: str, description: str) -> str:
    """Return the value of `WWW-Authenticate` (RFC 6750, section 3), without an error if no token was sent."""
    if code == TOKEN_MISSING:
        return f'Bearer realm="{REALM}"'
    return f'Bearer realm="{REALM}", error="invalid_token", error_description="{description}"'


def _messages(detail: Any, field: str | None = None) -> Iterator[tuple[str | None, str]]:
    """Yield DRF's nested messages, each after its field: `{"a": {"b": ["x"]}}` is `("a.b", "x")`."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            inner_field = str(name) if field is None else f"{field}.{name}"
            yield from _messages(inner, field if name == api_settings.NON_FIELD_ERRORS_KEY else inner_field)
    elif isinstance(detail, list):
        for inner in detail:  # in a list, DRF names positions
            yield from _messages(list(inner.values()) if isinstance(inner, dict) else inner, field)
    else:
        yield field, str(detail)


# ---- failures outside of DRF ---------------------------------------------------------------------


def respond(
    request: HttpRequest,
    status: HTTPStatus,
    code: str,
    detail: str,
    *,
    template: str = "moped/problem.html",
    **context: Any,
) -> HttpResponse:
    """
    Return an answer outside of DRF: a page for a browser, problem details for all other callers.

    :param template: a template that extends `moped/problem.html`. It gets `context`.
    """
    problem = body(status, code, detail)
    if settings.BROWSER_PAGES and negotiation.accepts_html(request):
        response = render(request, template, {"problem": problem, **context}, status=status)
    else:
        response = HttpResponse(msgspec.json.encode(problem), status=status, content_type=CONTENT_TYPE)
    if status == HTTPStatus.UNAUTHORIZED:  # must say how to authenticate (RFC 9110, 15.5.2)
        response.headers["WWW-Authenticate"] = challenge(TOKEN_MISSING, "")
    return response


def respond_error(request: HttpRequest, error: errors.MopedError, **page: Any) -> HttpResponse:
    """Return the answer to one of our errors outside of DRF. `page` goes to `respond`."""
    _log_fault(error)
    response = respond(request, status_of(error), error.code, str(error), **page)
    for name, value in _retry_after(error).items():
        response.headers[name] = value
    return response


def method_not_allowed(request: HttpRequest, refusal: HttpResponseNotAllowed) -> HttpResponse:
    """Return a 405 with our error body, in place of that of `require_GET` and similar decorators."""
    detail = f'Method "{request.method}" not allowed.'
    response = respond(request, HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", detail)
    response.headers["Allow"] = refusal.headers["Allow"]
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django calls suspicious. Only the log names the check."""
    logger.warning("suspicious_request", extra={"reason": type(exception).__name__})
    if isinstance(exception, RequestDataTooBig):
        status, code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE, BodyTooLarge.default_code
        return respond(request, status, code, BodyTooLarge.default_detail)
    return respond(request, HTTPStatus.BAD_REQUEST, "bad_request", BAD_REQUEST_DETAIL)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a PermissionDenied that was raised outside of DRF."""
    return respond(request, HTTPStatus.FORBIDDEN, "forbidden", errors.ForbiddenError.message)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form that did not come from a page of ours."""
    logger.warning("csrf_failed", extra={"reason": reason})
    return respond(
        request, HTTPStatus.FORBIDDEN, "csrf_failed", "This form did not come from a page of this site."
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a path without a route."""
    return respond(request, HTTPStatus.NOT_FOUND, "not_found", NOT_FOUND_DETAIL)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a crash. Only the log gets its traceback."""
    logger.exception("crash")  # noqa: LOG004 (Django calls this while it handles the exception)
    return respond(
        request,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal_error",
        INTERNAL_ERROR_DETAIL,
    )
