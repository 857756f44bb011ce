"""The forms of the browsable pages, and the checks of the caller's permissions."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import msgspec
from django.urls import get_script_prefix, resolve
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, NotAuthenticated
from rest_framework.request import override_method
from rest_framework.response import Response
from rest_framework.utils.serializer_helpers import BoundField

from apps.core.errors import MopedError
from apps.core.http.negotiation import FORM, sent_query
from apps.core.http.operation import operation_of
from apps.core.http.parsers import FORM_CONTENT
from apps.core.http.serializers import ChoiceListField

Field = serializers.Field[Any, Any, Any, Any]


LONG_TEXT = 1000  # characters
WIDGETS = {
    ChoiceListField: "checkboxes",
    serializers.ChoiceField: "select",
    serializers.BooleanField: "checkbox",
    serializers.IntegerField: "number",
}
TYPES: dict[str, str] = {"email": "email", "password": "password"}
# Messages of the Flask API that the editor translates. Each comes with a sentence for people.
FOR_THE_EDITOR = re.compile("value does not match regex|min length is 8")


class Action(NamedTuple):
    """A write that the page offers, or the reason why it does not."""

    method: str
    summary: str
    refusal: str
    fields: "Sequence[FormField]" = ()
    raw: str = ""
    is_raw: bool = False
    """Whether the raw data failed."""
    confirm: str = ""


class FormField(BoundField):
    """A field with its value and messages, as the template shows it."""

    @property
    def widget(self) -> str:
        """Return `checkboxes`, `select`, `checkbox`, `textarea`, or a type of an `input`."""
        if "choices" in self.style:
            return "select"
        widget = next((widget for kind, widget in WIDGETS.items() if isinstance(self._field, kind)), "")
        if not widget and (getattr(self._field, "max_length", None) or 0) > LONG_TEXT:
            return "textarea"
        return widget or TYPES.get(getattr(self._field, "schema", {}).get("format", ""), "text")

    @property
    def choices(self) -> list[tuple[str, str, bool]]:
        """Return each possible value with its text, and whether it is chosen."""
        offered = getattr(self._field, "choices", {})
        if "choices" in self.style:
            offered = self.style["choices"]()
        chosen = set(map(str, self.value if isinstance(self.value, list) else [self.value]))
        return [(str(value), str(text), str(value) in chosen) for value, text in offered.items()]


def form_fields(
    serializer: serializers.Serializer[Any], values: Mapping[str, Any], errors: Mapping[str, list[str]]
) -> list[FormField]:
    """Return the fields that a person can fill in, with values and messages."""
    return [
        FormField(field, _value(field, values, name), errors.get(name, []))  # type: ignore[arg-type] # plain texts
        for name, field in serializer.fields.items()
        if not field.read_only and not field.style.get("ignored")
    ]


def _value(field: Field, values: Mapping[str, Any], name: str) -> Any:
    if isinstance(field, ChoiceListField) and hasattr(values, "getlist"):
        return values.getlist(name)
    default = "" if field.default in (serializers.empty, None) else field.default
    value = values.get(name, default)
    return "" if value is None else value


def messages(view: Any, data: Any) -> Mapping[str, list[str]]:
    """Return the messages of a failed request by field, without those that only the editor reads."""
    errors = getattr(view, "own_messages", None)
    errors = data.get("error", {}) if errors is None else errors
    return {
        name: [text for text in texts if not FOR_THE_EDITOR.match(text)] for name, texts in errors.items()
    }


def query_fields(view: Any, request: Any, response: Response) -> list[FormField]:
    """Return the fields of the query, if the caller may send one."""
    serializer_class = getattr(view, "query_serializer_class", None)
    is_refused = response.status_code > HTTPStatus.BAD_REQUEST
    if serializer_class is None or request.method != "GET" or is_refused:
        return []
    is_invalid = response.exception and request.query_params
    errors = messages(view, response.data) if is_invalid else {}
    return form_fields(serializer_class(), sent_query(request), errors)


def actions(view: Any, request: Any, response: Response, data: Any) -> list[Action]:
    """Return the writes that the route offers. After a POST or PUT, return only the same method."""
    is_missing = view.kwargs and response.status_code == HTTPStatus.NOT_FOUND
    if is_missing or status.is_server_error(response.status_code):
        return []  # a form reads choices from the database, which may have failed
    offered = ("POST", "PUT", "DELETE") if request.method == "GET" else {request.method} & {"POST", "PUT"}
    methods = [name for name in offered if name in view.allowed_methods]
    return [_action(view, request, response, data, method) for method in methods]


def _action(view: Any, request: Any, response: Response, data: Any, method: str) -> Action:
    operation = operation_of(view, method)
    summary = (getattr(view, method.lower()).__doc__ or method).strip().partition("\n")[0].removesuffix(".")
    resource = data if view.kwargs and not response.exception else {}
    check = partial(operation.check, resource, request.user) if operation.check and resource else None
    if refusal := _refusal(view, request, method, check):
        return Action(method, summary, refusal)
    if method == "DELETE":
        question = operation.confirm.format_map(resource) if resource else f"Send DELETE {request.path}?"
        return Action(method, summary, "", confirm=question)
    with override_method(view, request, method):
        serializer = view.get_serializer_class()()
    if response.exception and request.method == method:
        form = request._request  # noqa: SLF001
        is_form = form.content_type == FORM  # a page sends no other body, and others may be unreadable
        fields = form_fields(serializer, request.data if is_form else {}, messages(view, data))
        raw = form.POST.get(FORM_CONTENT) if is_form else None
        return Action(
            method,
            summary,
            "",
            fields,
            raw or _json(operation.body_example),
            is_raw=raw is not None,
        )
    fields = form_fields(serializer, resource or request.query_params, {})
    filled = {field.name: field.value for field in fields if field.value or resource}
    return Action(method, summary, "", fields, _json({**(operation.body_example or {}), **filled}))


def _refusal(view: Any, request: Any, method: str, check: Callable[[], None] | None = None) -> str:
    """Return the reason why the caller may not send this method, or ""."""
    with override_method(view, request, method) as overridden:
        try:
            view.check_permissions(overridden)
            if check:
                check()
        except NotAuthenticated:
            return "Sign in first."
        except (APIException, MopedError) as error:
            return str(getattr(error, "detail", error))
    return ""


def _json(body: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(body), indent=2).decode()


def may_open(url: str, request: Any) -> bool:
    """Return whether the caller may see a page, or send its form if it has no GET."""
    if not url.startswith("/"):
        return True  # a link into the bucket
    match = resolve("/" + unquote(urlsplit(url).path).removeprefix(get_script_prefix()))
    view = match.func.cls(kwargs=match.kwargs)  # type: ignore[attr-defined] # a view of DRF
    method = "GET" if "GET" in view.allowed_methods else view.allowed_methods[0]
    return not _refusal(view, request, method)
