"""The forms of the browsable pages, made from serializers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from rest_framework import serializers

from apps.core.http.serializers import ChoiceListField

if TYPE_CHECKING:
    from collections.abc import Mapping

    Field = serializers.Field[Any, Any, Any, Any]

LONG_TEXT = 1000  # characters
WIDGETS = {
    ChoiceListField: "checkboxes",
    serializers.ChoiceField: "select",
    serializers.BooleanField: "checkbox",
    serializers.IntegerField: "number",
}
TYPES: dict[str, str] = {"email": "email", "password": "password"}


class Choice(NamedTuple):
    """A value that can be chosen."""

    value: str
    text: str
    is_chosen: bool


class FormField(NamedTuple):
    """A field as the template shows it."""

    name: str
    label: str
    help_text: str
    required: bool
    widget: str
    """`checkboxes`, `select`, `checkbox`, `textarea`, or a type of an `input`."""
    value: Any
    choices: list[Choice]
    errors: list[str]


def form_fields(
    serializer: serializers.Serializer[Any], values: Mapping[str, Any], errors: Mapping[str, list[str]]
) -> list[FormField]:
    """Return the fields that a person can fill in, with values and messages."""
    return [
        _form_field(name, field, values, list(errors.get(name, ())))
        for name, field in serializer.fields.items()
        if not field.read_only and not field.style.get("ignored")
    ]


def _form_field(name: str, field: Field, values: Mapping[str, Any], errors: list[str]) -> FormField:
    widget = _widget(field)
    value = "" if widget == "password" else _value(field, values, name)
    help_text = "" if "choices" in field.style else str(field.help_text or "")  # names explain themselves
    choices = _choices(field, value)
    return FormField(name, str(field.label), help_text, field.required, widget, value, choices, errors)


def _widget(field: Field) -> str:
    if "choices" in field.style:
        return "select"
    widget = next((widget for kind, widget in WIDGETS.items() if isinstance(field, kind)), "")
    if not widget and (getattr(field, "max_length", None) or 0) > LONG_TEXT:
        return "textarea"
    return widget or TYPES.get(getattr(field, "schema", {}).get("format", ""), "text")


def _value(field: Field, values: Mapping[str, Any], name: str) -> Any:
    if isinstance(field, ChoiceListField) and hasattr(values, "getlist"):
        return values.getlist(name)
    default = "" if field.default in (serializers.empty, None) else field.default
    value = values.get(name, default)
    return "" if value is None else value


def _choices(field: Field, value: Any) -> list[Choice]:
    if isinstance(field, ChoiceListField):
        offered: Mapping[Any, Any] = dict(zip(field.values, field.values, strict=True))
    elif "choices" in field.style:
        offered = field.style["choices"]()
    else:
        offered = getattr(field, "choices", {})
    chosen = {str(item) for item in value} if isinstance(value, list) else {str(value)}
    return [Choice(str(item), str(text), str(item) in chosen) for item, text in offered.items()]
