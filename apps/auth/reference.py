"""The examples of `/auth/` in the reference."""

from apps.auth import views
from apps.auth.serializers import CallerSerializer
from apps.claims.hasura import HasuraClaims
from apps.core.http.operation import Operation, Operations

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
TOKEN = {"token_use": "id", "email": "jane.doe@austintexas.gov"}

OPERATIONS: Operations = {
    views.CurrentUserView: {"get": Operation(answer_example=CALLER | {"decrypted_jwt": TOKEN})},
    views.current_user2.cls: {"get": Operation(answer=CallerSerializer, answer_example=CALLER)},
}
