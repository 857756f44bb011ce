"""The output shapes of the caller's own data."""

from __future__ import annotations

from typing import Any

import msgspec
from rest_framework import serializers

from apps.claims.hasura import HasuraClaims


def _field(of: msgspec.structs.FieldInfo) -> serializers.Field[Any, Any, Any, Any]:
    if of.type is str:
        return serializers.CharField()
    return serializers.ListField(child=serializers.CharField())


# Made from the claims themselves, so that no other module spells them.
HasuraClaimsSerializer: type[serializers.Serializer[Any]] = type(
    "HasuraClaimsSerializer",
    (serializers.Serializer,),
    {
        "__doc__": "What Hasura may know of a caller.",
        **{field.encode_name: _field(field) for field in msgspec.structs.fields(HasuraClaims)},
    },
)


def _caller_serializer(name: str, **more: Any) -> type[serializers.Serializer[Any]]:
    return type(
        name,
        (serializers.Serializer,),
        {
            "cognito:username": serializers.CharField(),
            "email": serializers.CharField(),
            "hasura_claims": HasuraClaimsSerializer(),
            **more,
        },
    )


CallerSerializer = _caller_serializer("CallerSerializer")
CallerWithTokenSerializer = _caller_serializer(
    "CallerWithTokenSerializer",
    decrypted_jwt=serializers.DictField(help_text="The payload of the token, as Cognito signed it."),
)
