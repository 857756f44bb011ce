"""What callers of `/users/` bring, and what they are shown."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from rest_framework import serializers

from apps.auth.serializers import HasuraClaimsSerializer
from apps.core.claims import ROLES
from apps.core.serializers import Choices, Flag, StrictSerializer, Text, WholeNumber
from apps.users.errors import PASSWORD_PATTERN
from apps.users.models import Event, MopedUser

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apps.users.directory import Portrait

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
LARGEST_ID = 2**31 - 1


class Name(Text):
    """A person's name, in any script."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "pattern": "only letters, digits, spaces and - . , ' \" ( ) are allowed, and a letter is required"
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(min_length=1, max_length=128, pattern="a name", **options)

    def to_internal_value(self, data: Any) -> str:
        """Return the name in one spelling: an accent typed apart is the same name."""
        return unicodedata.normalize("NFC", super().to_internal_value(data))

    def matches(self, value: str) -> bool:
        """Tell whether this can be a name."""
        return all(
            character in NAME_PUNCTUATION or unicodedata.category(character).startswith(NAME_CATEGORIES)
            for character in value
        ) and any(map(str.isalpha, value))


class Address(Text):
    """
    An address, lower-cased: Cognito and the claims table know it in no other way.

    RFC 5321 (4.1.2) without what it discourages: no quoted local part, no number of a host.
    """

    default_error_messages: ClassVar[dict[str, Any]] = {
        "pattern": "must be an email address, such as jane.doe@austintexas.gov"
    }
    is_address = EmailValidator(allowlist=[])

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=LONGEST_ADDRESS, pattern="an address", **options)

    def to_internal_value(self, data: Any) -> str:
        """Return the address; what is not ASCII stays as it is, and is refused."""
        address = super().to_internal_value(data)
        # Unicode lower-cases the Kelvin sign to a plain "k": another address than the one that was sent.
        return address.lower() if address.isascii() else address

    def matches(self, value: str) -> bool:
        """Tell whether this can be somebody's address, and is not the name of a single sign-on account."""
        return self._is_address(value) and not value.startswith(settings.SSO_USERNAME_PREFIX)

    def _is_address(self, value: str) -> bool:
        local_part, _, domain = value.rpartition("@")
        if not value.isascii() or len(local_part) > LONGEST_LOCAL_PART or local_part.startswith('"'):
            return False
        try:
            self.is_address(value)
        except ValidationError:
            return False
        return not domain.startswith("[")


class Password(Text):
    """
    A password that the pool takes, and none that it refuses.

    The message shows the pattern that the editor translates, though the pool knows more symbols
    than it lists. Below eight characters today's API says so too, and the editor translates that.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(
            trim_whitespace=False,
            min_length=8,
            max_length=LONGEST_PASSWORD,
            pattern=PASSWORD_PATTERN,
            **options,
        )

    def matches(self, value: str) -> bool:
        """Tell whether the pool's policy is kept."""
        return (
            len(value) >= SHORTEST_PASSWORD
            and value.strip() == value
            and len(value.splitlines()) == 1  # the pool's own pattern knows no line breaks
            and all(
                any(test(character) for character in value)
                for test in (_is_upper, _is_lower, _is_digit, SYMBOLS.__contains__)
            )
        )


class ProfileSerializer(StrictSerializer):
    """What an admin says of a person: the fields of the editor's form."""

    email = Address()
    first_name = Name()
    last_name = Name()
    title = Text(max_length=255)
    workgroup_id = WholeNumber(min_value=1, max_value=LARGEST_ID)
    roles = Choices(ROLES)
    is_user_group_member = Flag(required=False, allow_null=True)
    note = Text(required=False, allow_null=True, allow_blank=True, max_length=10_000)
    # Known to callers of today's API and decided by us: taken, and passed over.
    is_coa_staff = Flag(required=False, allow_null=True)
    cognito_user_id = Text(required=False, allow_null=True)
    date_added = Text(required=False, allow_null=True)
    is_deleted = Flag(required=False, allow_null=True)

    PASSED_OVER: ClassVar[tuple[str, ...]] = ("is_coa_staff", "cognito_user_id", "date_added", "is_deleted")

    def validate_is_deleted(self, value: bool | None) -> bool | None:  # noqa: FBT001 (DRF's signature)
        """Refuse what used to deactivate somebody without cutting them off."""
        if value:
            raise serializers.ValidationError("use DELETE to deactivate a user")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return what the services take."""
        taken = {name: value for name, value in attrs.items() if name not in self.PASSED_OVER}
        return {
            **taken,
            "is_user_group_member": bool(attrs.get("is_user_group_member")),
            "note": attrs.get("note") or "",
        }


class NewUserSerializer(ProfileSerializer):
    """A person who is to have an account."""

    password = Password()


class ChangedUserSerializer(ProfileSerializer):
    """A person as they shall be; without a password they keep theirs."""

    password = Password(required=False)

    def to_internal_value(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Take an empty password for none: the form sends one that was not touched."""
        touched = {name: value for name, value in data.items() if name != "password" or value}
        return super().to_internal_value(touched)


class ActivationSerializer(StrictSerializer):
    """Somebody known who is to have an account."""

    email = Address()
    password = Password()
    roles = Choices(ROLES)


class ListingSerializer(serializers.Serializer[Any]):
    """What `GET /users/` can be asked for."""

    limit = serializers.IntegerField(min_value=1, max_value=200, default=50)
    offset = serializers.IntegerField(min_value=0, max_value=LARGEST_ID, default=0)
    search = serializers.CharField(default="", allow_blank=True, max_length=128)
    role = serializers.CharField(default="", allow_blank=True, max_length=64)
    workgroup = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, default=None)
    active = serializers.BooleanField(default=None, allow_null=True)


class UserSerializer(serializers.ModelSerializer[MopedUser]):
    """A person as the database knows them."""

    workgroup_id = serializers.IntegerField(allow_null=True)
    workgroup_name = serializers.CharField(source="workgroup.workgroup_name", default=None)

    class Meta:
        model = MopedUser
        fields = (
            "user_id",
            "cognito_user_id",
            "email",
            "first_name",
            "last_name",
            "title",
            "workgroup_id",
            "workgroup_name",
            "roles",
            "is_coa_staff",
            "is_deleted",
            "is_user_group_member",
            "note",
            "date_added",
            "last_seen_date",
        )


class AccountSerializer(serializers.Serializer[Any]):
    """An account of the pool."""

    username = serializers.CharField()
    email = serializers.CharField()
    email_verified = serializers.BooleanField(source="is_verified")
    enabled = serializers.BooleanField(source="is_enabled")
    status = serializers.CharField()
    created_at = serializers.DateTimeField()


class PortraitSerializer(serializers.Serializer[Any]):
    """One person as the three stores know them."""

    cognito = AccountSerializer(allow_null=True, read_only=True)
    sso = AccountSerializer(allow_null=True, read_only=True)
    claims = HasuraClaimsSerializer(allow_null=True, read_only=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the profile's fields and these."""
        return {**UserSerializer().get_fields(), **super().get_fields()}

    def to_representation(self, instance: Portrait) -> dict[str, Any]:
        """Return the profile, and beside it what Cognito and the claims table say."""
        return {
            **UserSerializer(instance.user).data,
            "cognito": instance.account and AccountSerializer(instance.account).data,
            "sso": instance.sso_account and AccountSerializer(instance.sso_account).data,
            "claims": instance.claims and instance.claims.as_dict(),
        }


class EventSerializer(serializers.ModelSerializer[Event]):
    """One change of an account."""

    class Meta:
        model = Event
        fields = ("id", "at", "operation", "actor_id", "actor_email", "changes", "request_id")


class UserPageSerializer(serializers.Serializer[Any]):
    """Some of all people, and how many there are."""

    count = serializers.IntegerField()
    results = UserSerializer(many=True)


class HistorySerializer(serializers.Serializer[Any]):
    """All changes of one account."""

    results = EventSerializer(many=True)


def _is_upper(character: str) -> bool:
    return "A" <= character <= "Z"


def _is_lower(character: str) -> bool:
    return "a" <= character <= "z"


def _is_digit(character: str) -> bool:
    return "0" <= character <= "9"
