"""
Serializers and fields for input. They convert no types and refuse unknown fields.

The messages are those of the Flask API, because the editor shows them unchanged.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.utils.html import is_html_input

MAX_DIGITS = 20
MISSING: dict[str, Any] = {"required": "required field", "null": "null value not allowed"}


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses unknown fields by name, and reports them together with all other mistakes."""

    def to_internal_value(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """
        Return the validated values.

        :raises ValidationError: with the messages of all fields that are wrong
        """
        unknown = {name: ["unknown field"] for name in data if name not in self.fields}
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            problems: dict[str, Any] = error.detail  # type: ignore[assignment] # messages by field
            raise serializers.ValidationError({**problems, **unknown}) from error
        if unknown:
            raise serializers.ValidationError(unknown)
        return values  # type: ignore[no-any-return]


class StrictCharField(serializers.CharField):
    """A string. Numbers and booleans are refused."""

    options: ClassVar[Mapping[str, Any]] = {}
    """Arguments of every field of this class."""
    schema: ClassVar[Mapping[str, Any]] = {}
    """JSON Schema for the reference, without the length."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        **MISSING,
        "invalid": "must be of string type",
        "blank": "empty values not allowed",
        "min_length": "min length is {min_length}",
        "max_length": "max length is {max_length}",
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**self.options, **options})
        self.validators.insert(0, self.validate_form)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Return the validated value. The maximum length is that of the sent text, as in the reference."""
        value = super().run_validation(data)
        if isinstance(data, str) and self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return value

    def to_internal_value(self, data: Any) -> str:
        """Return the string, trimmed."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)

    def validate_form(self, value: str) -> None:
        """
        Refuse a value that does not match. DRF adds the messages of the other validators.

        :raises ValidationError: if `matches` returns False
        """
        if not self.matches(value):
            self.fail("pattern")

    def matches(self, value: str) -> bool:
        """Return whether the value has the form that the field requires. Subclasses may require one."""
        return True


class StrictIntegerField(serializers.IntegerField):
    """A whole number. Strings, fractions and booleans are refused."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        **MISSING,
        "invalid": "must be of integer type",
        "min_value": "min value is {min_value}",
        "max_value": "max value is {max_value}",
    }

    def get_value(self, dictionary: Mapping[Any, Any]) -> Any:
        """Return the sent value. A form sends text: digits become a number, an empty text is no value."""
        value = super().get_value(dictionary)
        if not is_html_input(dictionary) or not isinstance(value, str):
            return value
        return int(value) if value.isdecimal() and len(value) < MAX_DIGITS else value or serializers.empty

    def to_internal_value(self, data: Any) -> int:
        """Return the number."""
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return int(data)


class StrictBooleanField(serializers.BooleanField):
    """True or false. Strings and numbers are refused."""

    default_error_messages: ClassVar[dict[str, Any]] = {**MISSING, "invalid": "must be of boolean type"}

    def get_value(self, dictionary: Mapping[Any, Any]) -> Any:
        """Return the sent value. A form sends text if its box is ticked, and nothing otherwise."""
        return self.field_name in dictionary if is_html_input(dictionary) else super().get_value(dictionary)

    def to_internal_value(self, data: Any) -> bool:
        """Return the boolean."""
        if not isinstance(data, bool):
            self.fail("invalid")
        return bool(data)


class ChoiceListField(serializers.Field[list[str], Any, list[str], Any]):
    """A list of some of the values, each at most once."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        **MISSING,
        "invalid": "must be of list type",
        "empty": "min length is 1",
        "unknown": "unallowed values: {values}",
        "repeated": "repeated values: {values}",
    }

    def __init__(self, values: tuple[str, ...], **options: Any) -> None:
        self.values = values
        self.choices = {value: value for value in values}
        super().__init__(**options)

    def get_value(self, dictionary: Mapping[Any, Any]) -> Any:
        """Return the sent value. A form sends the field once for each value, or not at all."""
        if is_html_input(dictionary):
            return dictionary.getlist(self.field_name) or serializers.empty  # type: ignore[attr-defined] # a QueryDict
        return super().get_value(dictionary)

    def to_internal_value(self, data: Any) -> list[str]:
        """Return the list."""
        if not isinstance(data, list):
            self.fail("invalid")
        if not data:
            self.fail("empty")
        if unknown := [value for value in data if value not in self.values]:
            self.fail("unknown", values=_as_json(unknown))
        if repeated := sorted({value for value in data if data.count(value) > 1}):
            self.fail("repeated", values=_as_json(repeated))
        return data

    def to_representation(self, value: Any) -> list[str]:
        """Return the values as a list."""
        return list(value)


def _as_json(values: Iterable[Any]) -> str:
    return ", ".join(map(json.dumps, values))
