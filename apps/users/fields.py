"""Fields for names, addresses and passwords, with the rules of the stores that keep them."""

import string
import unicodedata
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from rest_framework import serializers

from apps.claims.identity import normalize, sso_address
from apps.core.http.serializers import StrictCharField
from apps.users.errors import LONGEST_PASSWORD, PASSWORD_REFUSED, PASSWORD_RULE, SHORTEST_PASSWORD

LONGEST_LOCAL_PART = 64  # RFC 5321, 4.5.3.1.1
LONGEST_ADDRESS = 128  # Cognito's limit for a user name
# The symbols of Cognito's password policy:
# https://docs.aws.amazon.com/cognito/latest/developerguide/managing-users-passwords.html
SYMBOLS = "^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+- "
# Unicode categories: letters, marks and decimal digits of every script.
NAME_CATEGORIES = ("L", "M", "Nd")
NAME_PUNCTUATION = frozenset(" -.'\u2019,()\"\u2018\u201c\u201d\u00b7\u2010\u2011")
# Letters and marks that are not drawn: Default_Ignorable_Code_Point in Unicode's DerivedCoreProperties.txt.
INVISIBLE_LETTERS = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)


class Name(StrictCharField):
    """A person's name, in any script."""

    options: ClassVar = {
        "max_length": 128,
        "help_text": "Letters and digits of any script, spaces and - . , ' \" ( ), and at least one letter.",
    }
    default_error_messages: ClassVar = {
        "pattern": "only letters, digits, spaces and - . , ' \" ( ) are allowed, and a letter is required"
    }

    def to_internal_value(self, data: Any) -> str:
        """Return the name in Unicode's NFC form, so that each name has one spelling."""
        return unicodedata.normalize("NFC", super().to_internal_value(data))

    def matches(self, value: str) -> bool:
        """Return whether all characters are allowed and one is a letter."""
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

    options: ClassVar = {"max_length": 255, "help_text": "The job title. It is required."}
    default_error_messages: ClassVar = {"pattern": StrictCharField.default_error_messages["blank"]}

    def matches(self, value: str) -> bool:
        """Return whether the text has a visible character."""
        return any(
            character not in INVISIBLE_LETTERS and not unicodedata.category(character).startswith(("C", "Z"))
            for character in value
        )


class Address(StrictCharField):
    """
    An address in lower case, as in Cognito and the claims table.

    RFC 5321 (4.1.2) without quoted local parts and IP addresses, which it discourages.
    """

    options: ClassVar = {
        "max_length": LONGEST_ADDRESS,
        "help_text": "The address to sign in with. Capital letters become small ones.",
    }
    schema: ClassVar = {"format": "email"}
    default_error_messages: ClassVar = {
        "pattern": "must be an email address, such as jane.doe@austintexas.gov",
        "sso": "is the name of a single sign-on account: leave out '{prefix}'",
    }
    is_address = EmailValidator(allowlist=[])

    def to_internal_value(self, data: Any) -> str:
        """Return the address with its ASCII letters in lower case."""
        return normalize(super().to_internal_value(data))

    def validate_form(self, value: str) -> None:
        """
        Refuse the name of a single sign-on account, and text that is not an address.

        :raises ValidationError: if the value is refused
        """
        if sso_address(value):
            self.fail("sso", prefix=settings.SSO_USERNAME_PREFIX)
        super().validate_form(value)

    def matches(self, value: str) -> bool:
        """Return whether the value is an ASCII address with a host name."""
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
    A password that the pool's policy allows.

    The messages also have two texts of the Flask API, which the editor translates: the pattern, which lists
    fewer symbols than the pool takes, and "min length is 8" for shorter passwords.
    """

    options: ClassVar = {
        "trim_whitespace": False,
        "min_length": 8,
        "max_length": LONGEST_PASSWORD,
        "help_text": PASSWORD_RULE,
    }
    schema: ClassVar = {"format": "password", "minLength": SHORTEST_PASSWORD}

    def validate_form(self, value: str) -> None:
        """
        Refuse a password that breaks the pool's policy.

        :raises ValidationError: if the pool would refuse it
        """
        if not self.matches(value):
            raise serializers.ValidationError(PASSWORD_REFUSED)

    def matches(self, value: str) -> bool:
        """Return whether the password follows the pool's policy."""
        kinds = (string.ascii_uppercase, string.ascii_lowercase, string.digits, SYMBOLS)
        return (
            len(value) >= SHORTEST_PASSWORD
            and value.strip() == value
            and len(value.splitlines()) == 1  # the pool refuses line breaks
            and all(set(kind) & set(value) for kind in kinds)
        )
