"""Who changed what: one event for each change, in the transaction that makes it, and one log line."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction

from apps.claims.hasura import UNKNOWN_ID
from apps.claims.identity import normalize
from apps.core.context import current
from apps.users.models import Event, MopedUser

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apps.auth.callers import CognitoUser
    from apps.users.models import PendingChange

logger = logging.getLogger(__name__)

FIELDS = (
    "email",
    "first_name",
    "last_name",
    "title",
    "workgroup_id",
    "roles",
    "is_coa_staff",
    "is_deleted",
    "is_user_group_member",
    "note",
    "cognito_user_id",
)
HIDDEN = "(hidden)"


def actor_fields(actor: CognitoUser | None) -> dict[str, Any]:
    """Return who acts, as events and pending changes keep it."""
    if actor is None:
        return {"id": None, "email": "", "sub": ""}
    database_id = actor.claims.database_id
    known = database_id.isdecimal() and database_id != UNKNOWN_ID
    return {"id": int(database_id) if known else None, "email": normalize(actor.email), "sub": actor.sub}


def snapshot(user: MopedUser | None) -> dict[str, Any]:
    """Return what an event compares; nobody has nothing."""
    return {name: _to_json(getattr(user, name)) if user else None for name in FIELDS}


def record(
    change: PendingChange, user: MopedUser, before: Mapping[str, Any], *, password_set: bool = False
) -> None:
    """Append the event of a change; one that changed nothing leaves none."""
    after = snapshot(user)
    changes = {
        name: {"from": before[name], "to": after[name]} for name in FIELDS if before[name] != after[name]
    }
    if password_set:
        changes["password"] = {"from": HIDDEN, "to": HIDDEN}
    if changes:
        _append(change.operation, user, changes, change.actor, change.request_id)


def record_password(operation: str, user: MopedUser, actor: CognitoUser | None) -> None:
    """Append that nothing but the password was set."""
    changes = {"password": {"from": HIDDEN, "to": HIDDEN}}
    _append(operation, user, changes, actor_fields(actor), current().request_id)


def record_uncertain_password(change: PendingChange) -> None:
    """Append that a change was given up which may have set a password: no store can be asked."""
    user = MopedUser.objects.filter(email__in=change.addresses).first()
    if user:
        changes = {"password": {"from": HIDDEN, "to": HIDDEN}}
        _append(f"{change.operation}_given_up", user, changes, change.actor, change.request_id)


def record_repair(user: MopedUser, repairs: list[str]) -> None:
    """Append what reconcile_users did to an account."""
    _append(
        "reconcile",
        user,
        {"repairs": {"from": None, "to": repairs}},
        actor_fields(None),
        current().request_id,
    )


def _append(
    operation: str, user: MopedUser, changes: dict[str, Any], actor: Mapping[str, Any], request_id: str
) -> None:
    Event.objects.create(
        operation=operation,
        user=user,
        cognito_user_id=user.cognito_user_id or changes.get("cognito_user_id", {}).get("from"),
        actor_id=actor["id"],
        actor_email=actor["email"],
        actor_sub=actor["sub"],
        changes=changes,
        request_id=request_id,
    )
    line = {"operation": operation, "user_id": user.pk, "actor_id": actor["id"], "fields": sorted(changes)}
    transaction.on_commit(partial(logger.info, "account_changed", extra=line))


def _to_json(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | str | list) else str(value)
