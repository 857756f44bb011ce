"""The request bodies, queries and answers of `/users/`."""

from typing import Any, ClassVar

from rest_framework import serializers

from apps.auth.serializers import HasuraClaimsSerializer
from apps.claims.hasura import NO_LOGIN, ROLES
from apps.core.http.serializers import (
    ChoiceListField,
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
)
from apps.users.fields import Address, Name, Password, Title
from apps.users.models import Event, MopedUser
from apps.users.selectors import list_all_workgroups, list_workgroups

LARGEST_ID = 2**31 - 1
ROLES_HELP = "Each role at most once, and at least one."
# Callers of the Flask API send these fields.
IGNORED: dict[str, Any] = {"help_text": "Ignored. Leave it out.", "style": {"ignored": True}}
USER_HELP_TEXTS = {
    "user_id": "The number of the row in the database. It is not the `user_id` of a path.",
    "cognito_user_id": "The id of the account in Cognito, the `user_id` of a path. Null without an account.",
    "email": "The address, which is the name at sign-in.",
    "first_name": "The first name.",
    "last_name": "The last name.",
    "title": "The job title.",
    "is_coa_staff": "Whether the address is one of the City. It follows from the address.",
    "is_deleted": "Whether the user is deactivated.",
    "is_user_group_member": "Whether the user is in the Moped user group.",
    "note": "A remark for other admins.",
    "date_added": "When the row was created.",
    "last_seen_date": "When the user last used the editor.",
    "workgroup_id": "The id of the workgroup.",
}
EVENT_HELP_TEXTS = {
    "id": "The number of the entry.",
    "at": "When it happened.",
    "operation": "`create`, `update`, `activate`, `delete`, or `reconcile` for a repair by an operator.",
    "actor_id": "The `user_id` of the person who did it. Null for an operator.",
    "actor_email": "The address of the person who did it.",
    "request_id": "Finds the request in the log.",
}


class ProfileSerializer(StrictSerializer):
    """The fields of the editor's form."""

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
    is_coa_staff = StrictBooleanField(required=False, allow_null=True, **IGNORED)
    cognito_user_id = StrictCharField(required=False, allow_null=True, **IGNORED)
    date_added = StrictCharField(required=False, allow_null=True, **IGNORED)
    is_deleted = StrictBooleanField(required=False, allow_null=True, **IGNORED)

    def validate_is_deleted(self, value: bool | None) -> bool | None:  # noqa: FBT001 (DRF's signature)
        """Refuse `true`: the Flask API set the column, but the user could still sign in."""
        if value:
            raise serializers.ValidationError("use DELETE to deactivate a user")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of the services, without ignored fields."""
        return {
            **{name: value for name, value in attrs.items() if not self.fields[name].style.get("ignored")},
            "is_user_group_member": bool(attrs.get("is_user_group_member")),
            "note": attrs.get("note") or "",
        }


class NewUserSerializer(ProfileSerializer):
    """A new user."""

    password = Password()


class ChangedUserSerializer(ProfileSerializer):
    """All fields of a user. A password that is absent, empty or null stays as it is."""

    # The form sends "" unless the admin types a password.
    password = Password(required=False, allow_blank=True, allow_null=True)


class ActivationSerializer(StrictSerializer):
    """The address, the new password and the roles of a user to activate."""

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
        style={"choices": lambda: {role: role for role in (*ROLES, NO_LOGIN)}},
    )
    workgroup = serializers.IntegerField(
        min_value=1,
        max_value=LARGEST_ID,
        default=None,
        help_text="The id of the user's workgroup.",
        style={"choices": list_all_workgroups},
    )
    active = serializers.BooleanField(
        default=None,
        help_text="Only active users, or only deactivated ones.",
        style={"choices": lambda: {"true": "active", "false": "deactivated"}},
    )
    limit = serializers.IntegerField(
        min_value=1, max_value=200, default=50, help_text="How many users the page may have."
    )
    offset = serializers.IntegerField(
        min_value=0, max_value=LARGEST_ID, default=0, help_text="How many users come before the page."
    )


class RolesField(serializers.ListField):
    """The roles of a row. Null if Hasura's column holds JSON that is not a list."""

    def to_representation(self, data: Any) -> Any:
        """Return the list, or None for other JSON."""
        return super().to_representation(data) if isinstance(data, list) else None


class UserSerializer(serializers.ModelSerializer[MopedUser]):
    """A user's row in the database."""

    workgroup_name = serializers.CharField(
        source="workgroup.workgroup_name",
        default=None,
        allow_null=True,
        read_only=True,
        help_text="The name of the workgroup.",
    )
    roles = RolesField(
        child=serializers.CharField(),
        allow_null=True,
        read_only=True,
        help_text=f"Some of {', '.join(ROLES)}; or {NO_LOGIN}, for a person without an account.",
    )

    class Meta:
        model = MopedUser
        fields = read_only_fields = (*USER_HELP_TEXTS, "workgroup_name", "roles")
        extra_kwargs: ClassVar = {name: {"help_text": text} for name, text in USER_HELP_TEXTS.items()}


class AccountSerializer(serializers.Serializer[Any]):
    """An account of the user pool."""

    username = serializers.CharField(help_text="The name of the account.")
    email = serializers.CharField(help_text="The address of the account.")
    email_verified = serializers.BooleanField(
        source="is_verified", help_text="Whether the pool knows that the address belongs to the user."
    )
    enabled = serializers.BooleanField(
        source="is_enabled", help_text="Whether the pool lets the account sign in."
    )
    status = serializers.CharField(help_text="The state of the account in Cognito, for example `CONFIRMED`.")
    created_at = serializers.DateTimeField(help_text="When the account was created.")


class UserDetailSerializer(UserSerializer):
    """A user's data in the database, the user pool and the claims table."""

    cognito = AccountSerializer(allow_null=True, read_only=True, help_text="The native account.")
    sso = AccountSerializer(allow_null=True, read_only=True, help_text="The single sign-on account.")
    claims = HasuraClaimsSerializer(
        allow_null=True, read_only=True, help_text="The claims that the user gets at sign-in."
    )

    class Meta(UserSerializer.Meta):
        fields = (*UserSerializer.Meta.fields, "cognito", "sso", "claims")

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Return the row of a `UserDetail`, its accounts and its claims."""
        return {
            **UserSerializer(instance.user).data,
            "cognito": instance.account and AccountSerializer(instance.account).data,
            "sso": instance.sso_account and AccountSerializer(instance.sso_account).data,
            "claims": instance.claims and instance.claims.as_dict(),
        }


class ChangeSerializer(serializers.Serializer[Any]):
    """A field before and after a change: null, a boolean, a number, a string or a list of strings."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the two fields. `from` cannot be an attribute, because it is a keyword."""
        return {
            "from": serializers.JSONField(help_text="The value before."),
            "to": serializers.JSONField(help_text="The value after."),
        }


class EventSerializer(serializers.ModelSerializer[Event]):
    """One change of an account."""

    changes = serializers.DictField(
        child=ChangeSerializer(), read_only=True, help_text="The changed fields, by name."
    )

    class Meta:
        model = Event
        fields = read_only_fields = (*EVENT_HELP_TEXTS, "changes")
        extra_kwargs: ClassVar = {name: {"help_text": text} for name, text in EVENT_HELP_TEXTS.items()}


class UserPageSerializer(serializers.Serializer[Any]):
    """One page of users."""

    count = serializers.IntegerField(help_text="How many users match, on all pages.")
    results = UserSerializer(many=True, help_text="The users of this page.")


class HistorySerializer(serializers.Serializer[Any]):
    """The changes of one user."""

    results = EventSerializer(many=True, help_text="The changes, the latest first.")
