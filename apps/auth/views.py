"""What a caller's token says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.decorators import api_view, permission_classes
from rest_framework.generics import GenericAPIView
from rest_framework.response import Response

from apps.auth.decorators import normalize_claims
from apps.auth.permissions import IsSignedIn
from apps.auth.serializers import CallerWithTokenSerializer
from apps.health.views import HealthMessageView

if TYPE_CHECKING:
    from apps.auth.requests import Request
    from apps.claims.hasura import HasuraClaims


class AuthHealthView(HealthMessageView):
    """Say that authentication is there."""

    subject = "Auth - "


class CurrentUserView(GenericAPIView[Any]):
    """
    Who you are.

    The claims as this API uses them, and `decrypted_jwt`: the whole payload as Cognito signed
    it, in which the Hasura claim is still a string.
    """

    permission_classes = (IsSignedIn,)
    serializer_class = CallerWithTokenSerializer

    def get(self, request: Request) -> Response:
        """Return the caller's username, address, claims and payload."""
        caller = request.user
        return Response(
            {
                "cognito:username": caller.username,
                "email": caller.email,
                "hasura_claims": caller.claims.as_dict(),
                "decrypted_jwt": caller.payload,
            }
        )


@api_view(["GET", "HEAD"])
@permission_classes([IsSignedIn])
@normalize_claims
def current_user2(request: Request, claims: HasuraClaims) -> Response:
    """Return who you are, by way of `@normalize_claims`: the example to read first."""
    return Response(
        {
            "cognito:username": request.user.username,
            "email": request.user.email,
            "hasura_claims": claims.as_dict(),
        }
    )
