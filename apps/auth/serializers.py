"""Serializers of answers about the caller."""

from typing import Any

import msgspec
from rest_framework import serializers

from apps.claims.hasura import HasuraClaims

HELP_TEXTS = {
    "user_id": "The id of the native account in Cognito, a UUID.",
    "default_role": "The role of a request to Hasura that chooses none.",
    "allowed_roles": "The roles that a request to Hasura may choose.",
    "database_id": "The number of the user's row, `0` if unknown.",
    "workgroup_id": "The number of the user's workgroup, `0` if unknown.",
}


def _field(info: msgspec.structs.FieldInfo) -> serializers.Field[Any, Any, Any, Any]:
    if info.type is str:
        return serializers.CharField(help_text=HELP_TEXTS[info.name])
    return serializers.ListField(child=serializers.CharField(), help_text=HELP_TEXTS[info.name])


# Built from HasuraClaims, so that no other module contains the names.
HasuraClaimsSerializer: type[serializers.Serializer[Any]] = type(
    "HasuraClaimsSerializer",
    (serializers.Serializer,),
    {
        "__doc__": "The claims of a caller for Hasura.",
        **{field.encode_name: _field(field) for field in msgspec.structs.fields(HasuraClaims)},
    },
)


class CallerSerializer(serializers.Serializer[Any]):
    """The caller's data in the token."""

    # The field's name is not a Python identifier.
    vars()["cognito:username"] = serializers.CharField(
        help_text="The name of the account: a UUID, or `azuread_` and the address."
    )
    email = serializers.CharField(help_text="The address of the account.")
    hasura_claims = HasuraClaimsSerializer(help_text="The claims for Hasura.")


class CallerWithTokenSerializer(CallerSerializer):
    """The caller's data in the token, and its whole payload."""

    decrypted_jwt = serializers.DictField(help_text="The payload of the token, as Cognito signed it.")
