"""Fields for names, addresses and passwords, with the rules of the stores that keep them."""

from __future__ import annotations

import unicodedata
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

from apps.claims.identity import normalize, sso_address
from apps.core.http.serializers import StrictCharField
from apps.users.errors import PASSWORD_PATTERN

LONGEST_LOCAL_PART = 64  # RFC 5321, 4.5.3.1.1
LONGEST_ADDRESS = 128  # of a user name in the pool
# What the pool counts as a symbol:
# https://docs.aws.amazon.com/cognito/latest/developerguide/managing-users-passwords.html
SYMBOLS = frozenset("^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+- ")
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 256
# Letters and their marks of every script, and digits.
NAME_CATEGORIES = ("L", "M", "Nd")
NAME_PUNCTUATION = frozenset(" -.'\u2019,()\"\u2018\u201c\u201d\u00b7\u2010\u2011")
# Letters and marks without a glyph: Default_Ignorable_Code_Point in Unicode's DerivedCoreProperties.txt.
INVISIBLE_LETTERS = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)


class Name(StrictCharField):
    """A person's name, in any script."""

    schema: ClassVar[dict[str, Any]] = {
        "description": "Letters and digits of any script, spaces and - . , ' \" ( ), and at least one letter."
    }

    default_error_messages: ClassVar[dict[str, Any]] = {
        "pattern": "only letters, digits, spaces and - . , ' \" ( ) are allowed, and a letter is required"
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(min_length=1, max_length=128, **options)

    def to_internal_value(self, data: Any) -> str:
        """Return the name in one spelling: an accent typed apart is the same name."""
        return unicodedata.normalize("NFC", super().to_internal_value(data))

    def matches(self, value: str) -> bool:
        """Return whether this can be a name."""
        return (
            INVISIBLE_LETTERS.isdisjoint(value)
            and all(
                character in NAME_PUNCTUATION or unicodedata.category(character).startswith(NAME_CATEGORIES)
                for character in value
            )
            and any(map(str.isalpha, value))
        )


class Title(StrictCharField):
    """A job title. Text that readers cannot see counts as empty."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "pattern": StrictCharField.default_error_messages["blank"]
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=255, **options)

    def matches(self, value: str) -> bool:
        """Return whether readers can see a character of it."""
        return any(
            character not in INVISIBLE_LETTERS and not unicodedata.category(character).startswith(("C", "Z"))
            for character in value
        )


class Address(StrictCharField):
    """
    An address, lower-cased: Cognito and the claims table know it in no other way.

    RFC 5321 (4.1.2) without what it discourages: no quoted local part, no number of a host.
    """

    schema: ClassVar[dict[str, Any]] = {"format": "email"}
    default_error_messages: ClassVar[dict[str, Any]] = {
        "pattern": "must be an email address, such as jane.doe@austintexas.gov"
    }
    is_address = EmailValidator(allowlist=[])

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=LONGEST_ADDRESS, **options)

    def to_internal_value(self, data: Any) -> str:
        """Return the address with its ASCII letters in lower case."""
        return normalize(super().to_internal_value(data))

    def matches(self, value: str) -> bool:
        """Return whether this can be a person's address, and is not the name of a single sign-on account."""
        return self._is_address(value) and not sso_address(value)

    def _is_address(self, value: str) -> bool:
        local_part, _, domain = value.rpartition("@")
        if not value.isascii() or len(local_part) > LONGEST_LOCAL_PART or local_part.startswith('"'):
            return False
        try:
            self.is_address(value)
        except ValidationError:
            return False
        return not domain.startswith("[")


class Password(StrictCharField):
    """
    A password that the pool takes, and none that it refuses.

    The message shows the pattern that the editor translates, though the pool knows more symbols
    than it lists. Below eight characters the Flask API says so too, and the editor translates that.
    """

    schema: ClassVar[dict[str, Any]] = {
        "format": "password",
        "minLength": SHORTEST_PASSWORD,
        "description": "With an upper-case letter, a lower-case letter, a digit and a symbol, in one line.",
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(
            trim_whitespace=False,
            min_length=8,
            max_length=LONGEST_PASSWORD,
            pattern=PASSWORD_PATTERN,
            help_text=f"At least {SHORTEST_PASSWORD} characters. {self.schema['description']}",
            **options,
        )

    def matches(self, value: str) -> bool:
        """Return whether the pool's policy is kept."""
        return (
            len(value) >= SHORTEST_PASSWORD
            and value.strip() == value
            and len(value.splitlines()) == 1  # the pool's own pattern knows no line breaks
            and all(
                any(test(character) for character in value)
                for test in (_is_upper, _is_lower, _is_digit, SYMBOLS.__contains__)
            )
        )


def _is_upper(character: str) -> bool:
    return "A" <= character <= "Z"


def _is_lower(character: str) -> bool:
    return "a" <= character <= "z"


def _is_digit(character: str) -> bool:
    return "0" <= character <= "9"
