"""Examples for the reference; the tests hold them against the schemas and the running views."""

from __future__ import annotations

from apps.claims.hasura import HasuraClaims

USER_ID = "11111111-1111-4111-8111-111111111111"

PROFILE = {
    "email": "jane.doe@austintexas.gov",
    "first_name": "Jane",
    "last_name": "Doe",
    "title": "Planner",
    "workgroup_id": 1,
    "roles": ["moped-editor"],
    "is_user_group_member": False,
    "note": "",
}
CHANGED_USER = {**PROFILE, "title": "Senior Planner"}
NEW_USER = {**PROFILE, "password": "Bicycle-Lanes-42"}
ACTIVATION = {
    "email": "jane.doe@austintexas.gov",
    "password": "Bicycle-Lanes-42",
    "roles": ["moped-editor"],
}
USER = {
    "user_id": 77,
    "cognito_user_id": USER_ID,
    **PROFILE,
    "workgroup_name": "Active Transportation and Street Design",
    "is_coa_staff": True,
    "is_deleted": False,
    "date_added": "2026-11-23T12:00:00Z",
    "last_seen_date": None,
}
PAGE = {"count": 1, "results": [USER]}
_ACCOUNT = {
    "username": USER_ID,
    "email": "jane.doe@austintexas.gov",
    "email_verified": True,
    "enabled": True,
    "status": "CONFIRMED",
    "created_at": "2026-11-23T12:00:00Z",
}
PORTRAIT = {
    **USER,
    "cognito": _ACCOUNT,
    "sso": None,
    "claims": HasuraClaims(
        user_id=USER_ID,
        default_role="moped-viewer",
        allowed_roles=("moped-editor",),
        database_id="77",
        workgroup_id="1",
    ).as_dict(),
}
HISTORY = {
    "results": [
        {
            "id": 1,
            "at": "2026-11-23T12:00:00Z",
            "operation": "create",
            "actor_id": 1,
            "actor_email": "ada.admin@austintexas.gov",
            "changes": {"roles": {"from": None, "to": ["moped-editor"]}},
            "request_id": "5d1e3f8e9a1b4c7f8e2d3c4b5a697887",
        }
    ]
}
