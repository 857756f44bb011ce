"""
Shapes of what callers bring: nothing coerced, nothing unknown passed over.

The words are those of the API that this one replaces; the editor shows them as they are.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.utils.html import is_html_input

MAX_DIGITS = 20
MISSING: dict[str, Any] = {"required": "required field", "null": "null value not allowed"}


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses every field it does not know, by name, together with whatever else is wrong."""

    def to_internal_value(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """
        Return the validated values.

        :raises ValidationError: with the messages of all fields that are wrong
        """
        unknown = {name: ["unknown field"] for name in data if name not in self.fields}
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            problems: dict[str, Any] = error.detail  # type: ignore[assignment] # fields are what was asked about
            raise serializers.ValidationError({**problems, **unknown}) from error
        if unknown:
            raise serializers.ValidationError(unknown)
        return values  # type: ignore[no-any-return]


class StrictCharField(serializers.CharField):
    """A string that was sent as one."""

    options: ClassVar[Mapping[str, Any]] = {}
    """Arguments of every field of this class."""
    schema: ClassVar[Mapping[str, Any]] = {}
    """What the reference says beside the length (JSON Schema)."""

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

    def to_internal_value(self, data: Any) -> str:
        """Return the string, trimmed. The length is that of the text as it was sent, as in the reference."""
        if not isinstance(data, str):
            self.fail("invalid")
        if self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().to_internal_value(data)

    def validate_form(self, value: str) -> None:
        """
        Refuse a value without the field's form. DRF adds the messages of the other validators.

        :raises ValidationError: for such a value
        """
        if not self.matches(value):
            self.fail("pattern")

    def matches(self, value: str) -> bool:
        """Return whether the value has the field's form. Without a form, every value has it."""
        return True


class StrictIntegerField(serializers.IntegerField):
    """A whole number: not its text, not a fraction, not a boolean."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        **MISSING,
        "invalid": "must be of integer type",
        "min_value": "min value is {min_value}",
        "max_value": "max value is {max_value}",
    }

    def get_value(self, dictionary: Mapping[Any, Any]) -> Any:
        """Return the sent value. A form sends text: digits of it are a number, and no text is no value."""
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
    """True or false, and not a word for it."""

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
        """Return the sent value. A form repeats the field for each value, and sends nothing for none."""
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
            self.fail("unknown", values=_as_sent(unknown))
        if repeated := sorted({value for value in data if data.count(value) > 1}):
            self.fail("repeated", values=_as_sent(repeated))
        return data

    def to_representation(self, value: Any) -> list[str]:
        """Return the list as it is."""
        return list(value)


def _as_sent(values: Iterable[Any]) -> str:
    return ", ".join(map(json.dumps, values))
