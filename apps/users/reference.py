"""The examples, errors and links of `/users/` in the reference. Tests compare them with the views."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from rest_framework import status

from apps.auth.callers import CognitoUser
from apps.claims.hasura import NO_LOGIN, ROLES, HasuraClaims
from apps.claims.items import ClaimsChangedError
from apps.core.aws.errors import StoreMissingError
from apps.core.errors import UnavailableError, UpstreamError
from apps.core.http.operation import Operation, Operations
from apps.users import errors, policies, views
from apps.users.models import MopedUser
from apps.users.serializers import UserPageSerializer, UserSerializer

USER_ID = "11111111-1111-4111-8111-111111111111"
PATH = {
    "user_id": (
        UUID,
        "`cognito_user_id` of an answer, not `user_id`. It also finds an inactive user's last account.",
    )
}

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
ACTIVATION = {name: NEW_USER[name] for name in ("email", "password", "roles")}
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
USER_DETAIL = {
    **USER,
    "cognito": _ACCOUNT,
    "sso": None,
    "claims": HasuraClaims.of(
        user_id=USER_ID, roles=["moped-editor"], database_id=77, workgroup_id=1
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

# The errors that every change of an account can have.
WRITE_ERRORS = (
    errors.AddressRefusedError,
    errors.WorkgroupUnknownError,
    errors.BusyError,
    ClaimsChangedError,
    StoreMissingError,
    UpstreamError,
    UnavailableError,
)
NEW_ACCOUNT_ERRORS = (errors.AddressHeldError, errors.WeakPasswordError, *WRITE_ERRORS)


def forbid_own_account(user: Mapping[str, Any], actor: CognitoUser) -> None:
    """
    Refuse a user who is the actor, as the service does.

    :raises OwnAccountError: if the user is the actor
    """
    row = {name: user[name] for name in ("user_id", "cognito_user_id", "email")}
    if policies.is_same_person(MopedUser(**row), actor):
        raise errors.OwnAccountError


def user_links(user: Mapping[str, Any]) -> dict[str, str]:
    """Return the links of a user. A user who cannot sign in has only the activation."""
    if _state(user) != "active":
        roles = [role for role in user["roles"] or () if role in ROLES]
        query = urlencode({"email": user["email"], "roles": roles}, doseq=True)
        return {"Activate": f"{reverse('activate-user')}?{query}"}
    account = user["cognito_user_id"]
    return {
        "Open": reverse("user", kwargs={"user_id": account}),
        "History": reverse("user-history", kwargs={"user_id": account}),
    }


def user_row(user: Mapping[str, Any]) -> dict[str, str]:
    """Return the cells of a user in the list, by column."""
    return {
        "Last name": user["last_name"],
        "First name": user["first_name"],
        "Email": user["email"],
        "Workgroup": user["workgroup_name"] or "",
        "Roles": ", ".join(map(str, user["roles"] or ())),
        "State": _state(user),
    }


def event_row(event: Mapping[str, Any]) -> dict[str, str]:
    """Return the cells of a change in the history, by column."""
    changes = (
        (name.replace("_", " ").capitalize(), " → ".join(dict.fromkeys(map(_text, change.values()))))
        for name, change in event["changes"].items()
    )
    return {
        "At": event["at"],
        "Operation": event["operation"],
        "Actor": event["actor_email"],
        "Changes": format_html("<ul>{}</ul>", format_html_join("", "<li><b>{}</b>: {}</li>", changes)),
    }


def _text(value: Any) -> str:
    """Return a value as readable text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")
    return text or "(empty)"


def _state(user: Mapping[str, Any]) -> str:
    """Return "active", or the reason why the user cannot sign in."""
    if user["is_deleted"]:
        return "deactivated"
    has_account = user["cognito_user_id"] and NO_LOGIN not in (user["roles"] or ())
    return "active" if has_account else "no sign-in"


USER_ANSWER: dict[str, Any] = {"answer": UserSerializer, "answer_example": USER, "links": user_links}
OPERATIONS: Operations = {
    views.UserListView: {
        "get": Operation(
            answer=UserPageSerializer,
            errors=(UnavailableError,),
            answer_example=PAGE,
            row=user_row,
            links=user_links,
        ),
        "post": Operation(
            **USER_ANSWER,
            status=status.HTTP_201_CREATED,
            errors=(errors.UserExistsError, *NEW_ACCOUNT_ERRORS),
            body_example=NEW_USER,
        ),
    },
    views.UserDetailView: {
        "get": Operation(
            path=PATH,
            errors=(errors.UserNotFoundError, UpstreamError, UnavailableError),
            answer_example=USER_DETAIL,
            links=user_links,
        ),
        "put": Operation(
            path=PATH,
            **USER_ANSWER,
            errors=(
                errors.UserNotFoundError,
                errors.AccountNotFoundError,
                errors.UserExistsError,
                errors.AddressTakenError,
                errors.WeakPasswordError,
                errors.InactiveError,
                errors.OwnAccountError,
                errors.LastAdminError,
                *WRITE_ERRORS,
            ),
            body_example=CHANGED_USER,
        ),
        "delete": Operation(
            path=PATH,
            status=status.HTTP_204_NO_CONTENT,
            check=forbid_own_account,
            confirm="Deactivate {first_name} {last_name} ({email})? The rights end at once.",
            errors=(errors.UserNotFoundError, errors.OwnAccountError, errors.LastAdminError, *WRITE_ERRORS),
        ),
    },
    views.UserActivationView: {
        "put": Operation(
            **USER_ANSWER,
            errors=(errors.UserNotFoundError, errors.AlreadyActiveError, *NEW_ACCOUNT_ERRORS),
            body_example=ACTIVATION,
        )
    },
    views.UserHistoryView: {
        "get": Operation(
            path=PATH,
            errors=(errors.UserNotFoundError, UnavailableError),
            answer_example=HISTORY,
            row=event_row,
        )
    },
}
