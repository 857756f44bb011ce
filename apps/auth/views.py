"""What a caller's token says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.decorators import api_view, permission_classes
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.auth.decorators import normalize_claims
from apps.auth.permissions import IsSignedIn
from apps.auth.serializers import CallerSerializer, CallerWithTokenSerializer
from apps.claims.hasura import HasuraClaims
from apps.core.http.operation import Operation, describe
from apps.health.views import HealthMessageView

if TYPE_CHECKING:
    from apps.auth.requests import Request


class AuthHealthView(HealthMessageView):
    """Say that authentication is there."""

    subject = "Auth - "


CALLER = {
    "cognito:username": "11111111-1111-4111-8111-111111111111",
    "email": "jane.doe@austintexas.gov",
    "hasura_claims": HasuraClaims(
        user_id="11111111-1111-4111-8111-111111111111",
        default_role="moped-viewer",
        allowed_roles=("moped-editor",),
        database_id="77",
        workgroup_id="1",
    ).as_dict(),
}


@describe(
    get=Operation(
        answer=CallerWithTokenSerializer,
        answer_example=CALLER | {"decrypted_jwt": {"token_use": "id", "email": "jane.doe@austintexas.gov"}},
    )
)
class CurrentUser(APIView):
    """
    Who you are.

    The claims as this API uses them, and `decrypted_jwt`: the whole payload as Cognito signed
    it, in which the Hasura claim is still a string.
    """

    permission_classes = (IsSignedIn,)

    def get(self, request: Request) -> Response:
        """Return the caller's username, address, claims and payload."""
        caller = request.user
        return Response(
            {
                "cognito:username": caller.username,
                "email": caller.email,
                "hasura_claims": caller.claims.as_dict(),
                "decrypted_jwt": request.auth.payload,
            }
        )


@describe(get=Operation(answer=CallerSerializer, answer_example=CALLER))
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
