"""What callers of `/users/` bring, and what they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rest_framework import serializers

from apps.auth.serializers import HasuraClaimsSerializer
from apps.claims.hasura import ROLES
from apps.core.http.serializers import (
    ChoiceListField,
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
)
from apps.users.fields import Address, Name, Password, Title
from apps.users.models import Event, MopedUser
from apps.users.selectors import list_workgroups

if TYPE_CHECKING:
    from apps.users.selectors import UserDetail

LARGEST_ID = 2**31 - 1
ROLES_HELP = "Each role at most once, and at least one."
IGNORED: dict[str, Any] = {"help_text": "Ignored.", "style": {"ignored": True}}


def _yes_or_no() -> dict[str, str]:
    return {"true": "active", "false": "deactivated"}


class ProfileSerializer(StrictSerializer):
    """What an admin says of a person: the fields of the editor's form."""

    email = Address()
    first_name = Name()
    last_name = Name()
    title = Title()
    workgroup_id = StrictIntegerField(
        label="Workgroup",
        min_value=1,
        max_value=LARGEST_ID,
        help_text="The id of a workgroup.",
        style={"choices": list_workgroups},
    )
    roles = ChoiceListField(ROLES, help_text=ROLES_HELP)
    is_user_group_member = StrictBooleanField(
        required=False, allow_null=True, help_text="Whether the user is in the Moped user group."
    )
    note = StrictCharField(
        required=False,
        allow_null=True,
        allow_blank=True,
        max_length=10_000,
        help_text="A remark for other admins.",
    )
    # Callers of the Flask API send these. They are accepted and ignored.
    is_coa_staff = StrictBooleanField(required=False, allow_null=True, **IGNORED)
    cognito_user_id = StrictCharField(required=False, allow_null=True, **IGNORED)
    date_added = StrictCharField(required=False, allow_null=True, **IGNORED)
    is_deleted = StrictBooleanField(required=False, allow_null=True, **IGNORED)

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

    # The form sends "" for a password that was not touched.
    password = Password(required=False, allow_blank=True, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return what the services take: an empty password and null are none."""
        taken = super().validate(attrs)
        if not taken.get("password"):
            taken.pop("password", None)
        return taken


class ActivationSerializer(StrictSerializer):
    """Somebody known who is to have an account."""

    email = Address()
    password = Password()
    roles = ChoiceListField(ROLES, help_text=ROLES_HELP)


class UserQuerySerializer(serializers.Serializer[Any]):
    """The query of `GET /users/`."""

    search = serializers.CharField(
        default="", allow_blank=True, max_length=128, help_text="A part of the name or of the email address."
    )
    role = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=64,
        help_text="A role that the user has.",
        style={"choices": lambda: dict(zip(ROLES, ROLES, strict=True))},
    )
    workgroup = serializers.IntegerField(
        min_value=1,
        max_value=LARGEST_ID,
        default=None,
        help_text="The id of the user's workgroup.",
        style={"choices": list_workgroups},
    )
    active = serializers.BooleanField(
        default=None, help_text="Only active users, or only deactivated ones.", style={"choices": _yes_or_no}
    )
    limit = serializers.IntegerField(
        min_value=1, max_value=200, default=50, help_text="How many users the page may have."
    )
    offset = serializers.IntegerField(
        min_value=0, max_value=LARGEST_ID, default=0, help_text="How many users come before the page."
    )


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


class UserDetailSerializer(serializers.Serializer[Any]):
    """One person as the three stores know them."""

    cognito = AccountSerializer(allow_null=True, read_only=True)
    sso = AccountSerializer(allow_null=True, read_only=True)
    claims = HasuraClaimsSerializer(allow_null=True, read_only=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the profile's fields and these."""
        return {**UserSerializer().get_fields(), **super().get_fields()}

    def to_representation(self, instance: UserDetail) -> dict[str, Any]:
        """Return the profile, and beside it what Cognito and the claims table say."""
        return {
            **UserSerializer(instance.user).data,
            "cognito": instance.account and AccountSerializer(instance.account).data,
            "sso": instance.sso_account and AccountSerializer(instance.sso_account).data,
            "claims": instance.claims and instance.claims.as_dict(),
        }


class ChangeSerializer(serializers.Serializer[Any]):
    """The value of one field before and after; null, a boolean, a number, a string or a list of strings."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the two fields: `from` cannot be an attribute."""
        return {"from": serializers.JSONField(), "to": serializers.JSONField()}


class EventSerializer(serializers.ModelSerializer[Event]):
    """One change of an account."""

    changes = serializers.DictField(child=ChangeSerializer(), help_text="The changed fields, by name.")

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
