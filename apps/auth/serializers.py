"""The output shapes of the caller's own data."""

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


def _field(of: msgspec.structs.FieldInfo) -> serializers.Field[Any, Any, Any, Any]:
    if of.type is str:
        return serializers.CharField(help_text=HELP_TEXTS[of.name])
    return serializers.ListField(child=serializers.CharField(), help_text=HELP_TEXTS[of.name])


# Made from the claims themselves, so that no other module spells them.
HasuraClaimsSerializer: type[serializers.Serializer[Any]] = type(
    "HasuraClaimsSerializer",
    (serializers.Serializer,),
    {
        "__doc__": "What Hasura may know of a caller.",
        **{field.encode_name: _field(field) for field in msgspec.structs.fields(HasuraClaims)},
    },
)


class CallerSerializer(serializers.Serializer[Any]):
    """What the token says of the caller."""

    # Not an identifier.
    vars()["cognito:username"] = serializers.CharField(
        help_text="The name of the account: a UUID, or `azuread_` and the address."
    )
    email = serializers.CharField(help_text="The address of the account.")
    hasura_claims = HasuraClaimsSerializer(help_text="The claims for Hasura.")


class CallerWithTokenSerializer(CallerSerializer):
    """What the token says of the caller."""

    decrypted_jwt = serializers.DictField(help_text="The payload of the token, as Cognito signed it.")
