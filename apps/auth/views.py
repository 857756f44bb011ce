"""Routes under `/auth/`."""

from typing import Any

from rest_framework.decorators import api_view, permission_classes
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from apps.auth.decorators import normalize_claims
from apps.auth.permissions import IsSignedIn, get_caller
from apps.auth.serializers import CallerWithTokenSerializer
from apps.claims.hasura import HasuraClaims
from apps.health.views import HealthMessageView


class AuthHealthView(HealthMessageView):
    """Say that the routes for authentication are there."""

    name = "Authentication"
    subject = "Auth - "


class CurrentUserView(GenericAPIView[Any]):
    """Who you are."""

    permission_classes = (IsSignedIn,)
    serializer_class = CallerWithTokenSerializer

    def get(self, request: Request) -> Response:
        """
        Say who you are, with the token's payload.

        `hasura_claims` are the claims as this API uses them. `decrypted_jwt` is the whole payload as
        Cognito signed it, in which the Hasura claim is still a string.
        """
        caller = get_caller(request)
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
    """
    Say who you are, without the token's payload.

    This view is the example for new views. The decorator `@normalize_claims` passes the claims to it.
    """
    caller = get_caller(request)
    return Response(
        {
            "cognito:username": caller.username,
            "email": caller.email,
            "hasura_claims": claims.as_dict(),
        }
    )
