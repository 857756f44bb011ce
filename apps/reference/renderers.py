"""The browsable pages: DRF's browsable API with our templates and a strict Content-Security-Policy."""

import contextlib
import re
import shlex
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from django.urls import get_script_prefix, resolve, reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from rest_framework.renderers import BrowsableAPIRenderer
from rest_framework.response import Response
from rest_framework.utils.breadcrumbs import get_breadcrumbs
from rest_framework.utils.urls import remove_query_param, replace_query_param

from apps.core.errors import MopedError
from apps.core.http import headers, routes
from apps.core.http.negotiation import sent_query
from apps.core.http.operation import Operation, operation_of
from apps.core.http.renderers import JsonRenderer
from apps.reference import forms

CODE = re.compile(r"`([^`]+)`")
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
PAGING = frozenset({"limit", "offset"})


class PageRenderer(BrowsableAPIRenderer):
    """
    Renders the page of a route: its answer, and forms for the requests that the caller may send.

    A view may name its own template in `page_template`.
    """

    @property
    def template(self) -> str:  # type: ignore[override] # an attribute in DRF
        """Return the name of the template."""
        view = self.renderer_context["view"]  # type: ignore[attr-defined] # set by DRF's `render`
        return getattr(view, "page_template", "moped/api.html")

    def get_context(
        self, data: Any, accepted_media_type: str | None, renderer_context: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the context of the template."""
        view, request, response = (renderer_context[name] for name in ("view", "request", "response"))
        operation = operation_of(view, request.method)
        breadcrumbs, path = self.get_breadcrumbs(request), _path(request)
        query = forms.query_fields(view, request, response)
        actions = forms.actions(view, request, response, data)
        is_form = _is_unsent_form(request, response)
        if is_form:
            response.status_code = HTTPStatus.OK
        content = JsonRenderer().render(data, None, {"response": response, "indent": 2}).decode()
        _set_headers(response, operation)  # after JsonRenderer, which sets its own
        is_object = not response.exception and isinstance(data, dict)
        return {
            "name": self.get_name(view),
            "description": paragraphs(view.get_view_description()),
            "breadcrumbs": breadcrumbs,
            "back": _back(breadcrumbs, request, response),
            "is_form": is_form,
            "problem": _problem(view, data, query, actions) if response.exception and not is_form else None,
            "content": content,
            "response": response,
            "links": _links(data, operation, request) if is_object and "results" not in data else {},
            "table": _table(data, operation, request) if is_object and "results" in data else None,
            "pages": _pages(view) if is_object else None,
            "query": query,
            "is_filtered": not PAGING.issuperset(sent_query(request)),
            "actions": actions,
            "routes": [_route(route) for route in routes.listing()],
            "address": shlex.quote(request.build_absolute_uri(path)),
            "json_url": replace_query_param(path, "format", "json"),
            "prefix": request.META["SCRIPT_NAME"],
            "request": request,
        }

    def get_breadcrumbs(self, request: Any) -> list[tuple[str, str]]:
        """Return the titles and URLs of the pages above, without the slash that DRF adds."""
        prefix = get_script_prefix().rstrip("/")
        paths = get_breadcrumbs(prefix + request.path_info)
        matches = [(title, resolve(path.removeprefix(prefix))) for title, path in paths]
        return [(title, reverse(match.view_name, kwargs=match.kwargs)) for title, match in matches]


def paragraphs(text: str) -> list[SafeString]:
    """Return the paragraphs of a docstring as HTML, in which `code` is code."""
    joined = (" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
    return [mark_safe(CODE.sub(r"<code>\1</code>", escape(paragraph))) for paragraph in joined]  # noqa: S308 (escaped)


def _problem(
    view: Any, data: Mapping[str, Any], query: Sequence[forms.FormField], actions: Sequence[forms.Action]
) -> dict[str, Any]:
    """Return the error body, with only those messages that the page shows beside no field."""
    beside_fields = {
        field.name for fields in (query, *(action.fields for action in actions)) for field in fields
    }
    other_errors = {
        name: texts
        for name, texts in forms.messages(view, data).items()
        if name not in beside_fields and texts != [data["detail"]]
    }
    return {**data, "detail": paragraphs(data["detail"])[0], "error": other_errors}


def _back(breadcrumbs: list[tuple[str, str]], request: Any, response: Response) -> tuple[str, str]:
    """Return title and URL of the page to go back to. After a deletion it is the page above."""
    title, url = breadcrumbs[-2 if response.status_code == HTTPStatus.NO_CONTENT else -1]
    return title, request.get_full_path() if request.method == "OPTIONS" else url


def _is_unsent_form(request: Any, response: Response) -> bool:
    """Return whether the page only shows its form, because the route has no GET or needs a query."""
    lacks_query = response.status_code == HTTPStatus.BAD_REQUEST and not request.query_params
    return request.method == "GET" and (lacks_query or response.status_code == HTTPStatus.METHOD_NOT_ALLOWED)


def _set_headers(response: Response, operation: Operation) -> None:
    response["Content-Type"] = "text/html; charset=utf-8"
    if operation.connect and response.status_code < HTTPStatus.UNAUTHORIZED:
        with contextlib.suppress(MopedError):  # without credentials no upload is possible
            response["Content-Security-Policy"] = headers.page_policy(connect=operation.connect())


def _links(item: Mapping[str, Any], operation: Operation, request: Any) -> dict[str, str]:
    """Return the pages of an object that the caller may open, without the page that is shown."""
    links = operation.links(item) if operation.links else {}
    current_page = request.path if request.method == "GET" else ""
    return {text: url for text, url in links.items() if url != current_page and forms.may_open(url, request)}


def _table(data: Mapping[str, Any], operation: Operation, request: Any) -> dict[str, Any]:
    items = data["results"]
    rows = [operation.row(item) for item in items] if operation.row else items
    links = [_links(item, operation, request) for item in items]
    return {"columns": rows[:1], "has_links": any(links), "rows": list(zip(rows, links, strict=True))}


def _pages(view: Any) -> dict[str, Any] | None:
    paginator = getattr(view, "paginator", None)
    if paginator is None or not hasattr(paginator, "count"):
        return None
    last = min(paginator.offset + paginator.limit, paginator.count)
    return {
        "first": paginator.offset + 1,
        "last": last,
        "count": paginator.count,
        "previous": _relative(paginator.get_previous_link()),
        "next": _relative(paginator.get_next_link()),
    }


def _relative(url: str | None) -> str:
    """Return a URL without scheme and host, which a proxy may have changed."""
    return urlsplit(url)._replace(scheme="", netloc="").geturl() if url else ""


def _route(route: routes.Route) -> dict[str, Any]:
    return {
        "path": PARAMETER.sub(r"{\1}", route.path),
        "methods": route.methods,
        "name": route.name,
        "parameters": PARAMETER.findall(route.path),
    }


def _path(request: Any) -> str:
    """Return path and query, without the empty parameters of a form."""
    path: str = request.get_full_path()
    for name, value in request.query_params.items():
        path = path if value else remove_query_param(path, name)
    return path
