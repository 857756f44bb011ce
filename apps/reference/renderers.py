"""The browsable pages: DRF's browsable API with our look, and under a strict Content-Security-Policy."""

from __future__ import annotations

import contextlib
import re
import shlex
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from rest_framework import status
from rest_framework.exceptions import APIException, NotAuthenticated
from rest_framework.renderers import BrowsableAPIRenderer
from rest_framework.request import override_method
from rest_framework.utils.urls import remove_query_param, replace_query_param

from apps.core.errors import MopedError
from apps.core.http import headers, routes
from apps.core.http.html_forms import CONTENT
from apps.core.http.negotiation import sent_query
from apps.core.http.operation import operation_of
from apps.core.http.renderers import JsonRenderer
from apps.reference.forms import FormField, form_fields

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rest_framework.response import Response

    from apps.core.http.operation import Operation

CODE = re.compile(r"`([^`]+)`")
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


class Action(NamedTuple):
    """A write that the page offers, or why it does not."""

    method: str
    summary: str
    refusal: str
    fields: Sequence[FormField] = ()
    raw: str = ""
    is_raw: bool = False
    """Whether the raw data failed."""
    confirm: str = ""


class Cell(NamedTuple):
    """A cell of a table: a text, or the parts of an object."""

    title: str
    text: str
    parts: Mapping[str, str]


class PageRenderer(BrowsableAPIRenderer):
    """
    The page of a route: its answer, and forms for what the caller may do.

    A view may name a template of its own in `page_template`.
    """

    template = "moped/api.html"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the page."""
        view = renderer_context["view"] if renderer_context else None
        self.template = getattr(view, "page_template", self.template)
        return super().render(data, accepted_media_type, renderer_context)

    def get_context(
        self, data: Any, accepted_media_type: str | None, renderer_context: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return what the template shows."""
        view, request, response = (renderer_context[name] for name in ("view", "request", "response"))
        operation = operation_of(view, request.method)
        breadcrumbs, path = self.get_breadcrumbs(request), _path(request)
        is_form = _is_unsent_form(request, response)
        if is_form:
            response.status_code = HTTPStatus.OK
        content = JsonRenderer().render(data, None, {"response": response, "indent": 2}).decode()
        _set_headers(response, operation)  # after the renderer, which sets its own
        good = not response.exception and isinstance(data, dict)
        return {
            "name": self.get_name(view),
            "description": paragraphs(view.get_view_description()),
            "breadcrumbs": breadcrumbs,
            "back": breadcrumbs[-2 if response.status_code == HTTPStatus.NO_CONTENT else -1],
            "is_form": is_form,
            "problem": _problem(data) if response.exception and not is_form else None,
            "content": content,
            "response": response,
            "links": _links(data, operation, request) if good else {},
            "table": _table(data, operation) if good and "results" in data else None,
            "pages": _pages(view) if good else None,
            "query": _query_fields(view, request, response, {} if is_form else _messages(response)),
            "actions": _actions(view, request, response, data),
            "routes": [_route(route) for route in routes.listing()],
            "address": shlex.quote(request.build_absolute_uri(path)),
            "json_url": replace_query_param(path, "format", "json"),
            "prefix": request.META["SCRIPT_NAME"],
            "request": request,
        }


def paragraphs(text: str) -> list[SafeString]:
    """Return the paragraphs of a docstring as HTML, in which `code` is code."""
    joined = (" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
    return [mark_safe(CODE.sub(r"<code>\1</code>", escape(paragraph))) for paragraph in joined]  # noqa: S308 (escaped)


def _problem(data: Mapping[str, Any]) -> dict[str, Any]:
    return {**data, "detail": paragraphs(data["detail"])[0]}


def _is_unsent_form(request: Any, response: Response) -> bool:
    """Tell whether the page is opened for its form: the route has no GET, or needs a query."""
    unfilled = response.status_code == HTTPStatus.BAD_REQUEST and not request.query_params
    return request.method == "GET" and (unfilled or response.status_code == HTTPStatus.METHOD_NOT_ALLOWED)


def _set_headers(response: Response, operation: Operation) -> None:
    response["Content-Type"] = "text/html; charset=utf-8"
    if operation.connect and response.status_code < HTTPStatus.UNAUTHORIZED:
        with contextlib.suppress(MopedError):  # without credentials nothing can be uploaded
            response["Content-Security-Policy"] = headers.page_policy(connect=operation.connect())


def _links(data: Mapping[str, Any], operation: Operation, request: Any) -> dict[str, str]:
    """Return the links of an object to other pages than its own."""
    if operation.links is None or "results" in data:
        return {}
    links = operation.links(data).items()
    return {text: url for text, url in links if request.method != "GET" or url != request.path}


def _table(data: Mapping[str, Any], operation: Operation) -> dict[str, Any]:
    rows = data["results"]
    columns = operation.columns or tuple(rows[0] if rows else ())
    return {
        "columns": [_title(column) for column in columns],
        "rows": [
            {
                "cells": [_cell(column, row[column]) for column in columns],
                "links": operation.links(row) if operation.links else {},
            }
            for row in rows
        ],
    }


def _title(column: str) -> str:
    return column.replace("_", " ").capitalize()


def _cell(column: str, value: Any) -> Cell:
    parts = value if isinstance(value, dict) else {}
    return Cell(_title(column), _text(value), {_title(name): _text(part) for name, part in parts.items()})


def _text(value: Any) -> str:
    """Return a value as people write it; a change as its two values."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return " → ".join(dict.fromkeys(_text(part) or "(empty)" for part in value.values()))
    return "" if value is None else str(value)


def _pages(view: Any) -> dict[str, Any] | None:
    paginator = getattr(view, "paginator", None)
    if paginator is None or not hasattr(paginator, "count"):
        return None
    last = min(paginator.offset + paginator.limit, paginator.count)
    return {
        "first": min(paginator.offset + 1, last),
        "last": last,
        "count": paginator.count,
        "previous": _relative(paginator.get_previous_link()),
        "next": _relative(paginator.get_next_link()),
    }


def _relative(url: str | None) -> str:
    """Return a URL without scheme and host, which a proxy may have changed."""
    return urlsplit(url)._replace(scheme="", netloc="").geturl() if url else ""


def _messages(response: Response) -> Mapping[str, list[str]]:
    """Return the messages of a failed request, by field."""
    is_problem = response.exception and isinstance(response.data, dict)
    return response.data.get("error", {}) if is_problem else {}


def _query_fields(
    view: Any, request: Any, response: Response, messages: Mapping[str, list[str]]
) -> list[FormField]:
    serializer_class = getattr(view, "query_serializer_class", None)
    is_refused = response.status_code > HTTPStatus.BAD_REQUEST
    if serializer_class is None or request.method != "GET" or is_refused:
        return []
    return form_fields(serializer_class(), sent_query(request), messages)


def _actions(view: Any, request: Any, response: Response, data: Any) -> list[Action]:
    """Return the writes of the route; after a write only the one that failed."""
    if status.is_server_error(response.status_code):
        return []  # a form asks the database for choices, which may be what failed
    methods = [name for name in ("POST", "PUT", "DELETE") if name in view.allowed_methods]
    if request.method in methods:
        methods = [request.method] if response.exception else []
    return [_action(view, request, response, data, method) for method in methods]


def _action(view: Any, request: Any, response: Response, data: Any, method: str) -> Action:
    operation = operation_of(view, method)
    handler = getattr(view, method.lower())
    summary = (handler.__doc__ or method).strip().partition("\n")[0].removesuffix(".")
    resource = data if request.method == "GET" and isinstance(data, dict) and not response.exception else {}
    with override_method(view, request, method) as overridden:
        try:
            view.check_permissions(overridden)
            if operation.check and resource:
                operation.check(resource, request.user)
        except (APIException, MopedError) as error:
            return Action(method, summary, _refusal(error))
        if method == "DELETE":
            question = operation.confirm.format_map(resource) if resource else f"Send DELETE {request.path}?"
            return Action(method, summary, "", confirm=question)
        serializer = view.get_serializer_class()()
    failed = response.exception and request.method == method
    values = request.data if failed else resource if method == "PUT" and resource else request.query_params
    fields = form_fields(serializer, values, _messages(response) if failed else {})
    raw = _raw(request, operation, resource, fields, failed=failed)
    return Action(method, summary, "", fields, raw, is_raw=CONTENT in request._request.POST)  # noqa: SLF001


def _refusal(error: APIException | MopedError) -> str:
    if isinstance(error, NotAuthenticated):
        return "Sign in first."
    return str(getattr(error, "detail", error))


def _raw(
    request: Any,
    operation: Operation,
    resource: Mapping[str, Any],
    fields: Sequence[FormField],
    *,
    failed: bool,
) -> str:
    """Return the JSON to begin with: what failed, the object as it is, or the example."""
    if failed and CONTENT in request._request.POST:  # noqa: SLF001
        return str(request._request.POST[CONTENT])  # noqa: SLF001
    example = dict(operation.body_example or {})
    names = {field.name for field in fields}
    current = {name: value for name, value in resource.items() if name in names and operation.status != 201}  # noqa: PLR2004
    body = {name: current.get(name, value) for name, value in example.items()} | request.query_params.dict()
    fields_of_form = {name: value for name, value in body.items() if name in names}
    return msgspec.json.format(msgspec.json.encode(fields_of_form), indent=2).decode()


def _route(route: routes.Route) -> dict[str, Any]:
    return {
        "path": PARAMETER.sub(r"{\1}", route.path),
        "methods": route.methods,
        "name": route.name,
        "parameters": PARAMETER.findall(route.path),
    }


def _path(request: Any) -> str:
    """Return path and query without what a form leaves empty."""
    path: str = request.get_full_path()
    for name, value in request.query_params.items():
        path = path if value else remove_query_param(path, name)
    return path
