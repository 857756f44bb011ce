"""
Staff accounts: one person, three stores, one order of effects.

Every change runs like this (ADR 0006):

1. a change is committed: from now on nothing can be lost;
2. in one transaction, holding the lock on the address: what may refuse is asked first (the rules,
   the row with its constraints), then the pool and the claims table are changed, then the event is
   appended, and the commit decides;
3. what only makes sense after the decision is done (accounts are removed), and the change goes.

Whatever fails before the commit is led back to what the database says; whatever fails after it is
finished by the next try or by `manage.py reconcile_users`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from django.db import transaction

from apps.auth import current_roles
from apps.claims import table as claims_table
from apps.core.errors import ConflictError, NotFoundError
from apps.users import policies
from apps.users.adapters import cognito
from apps.users.changes import audit, cognito_accounts, pending, rows
from apps.users.errors import AlreadyActiveError, InactiveError, UserExistsError, UserNotFoundError
from apps.users.models import MopedUser, PendingChange

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from apps.auth.callers import CognitoUser


class Profile(TypedDict):
    """What an admin says of a person; is_coa_staff follows from the address."""

    email: str
    first_name: str
    last_name: str
    title: str
    workgroup_id: int
    roles: list[str]
    is_user_group_member: bool
    note: str


def create_user(*, actor: CognitoUser | None, password: str, **profile: Unpack[Profile]) -> MopedUser:
    """
    Create a person with an account, or make a deactivated one whole again.

    :param actor: None for an operator (`create_first_admin`)
    :raises WorkgroupUnknownError: if there is no such workgroup
    :raises UserExistsError: if the address belongs to somebody with an account
    :raises WeakPasswordError: if the pool refuses the password
    """
    email = profile["email"]
    policies.require_workgroup(profile["workgroup_id"])
    user = rows.by_email(email)
    if user and user.may_sign_in:
        return _repeat_create(actor, password, profile)
    with pending.pending_change(PendingChange.CREATE, actor=actor, email=email, sets_password=True) as change:
        _provision(change, password, {**profile, "is_deleted": False})
    return _complete(change)


def activate_user(*, actor: CognitoUser, email: str, password: str, roles: Sequence[str]) -> MopedUser:
    """
    Give an account to somebody who has none: deactivated before, or known without a sign-in.

    :raises UserNotFoundError: if nobody has this address
    :raises AlreadyActiveError: if the person is active with other roles
    :raises WeakPasswordError: if the pool refuses the password
    """
    user = rows.by_email(email)
    if user is None:
        raise UserNotFoundError
    _require_inactive(PendingChange.ACTIVATE, user, roles)
    with pending.pending_change(
        PendingChange.ACTIVATE, actor=actor, email=email, sets_password=True
    ) as change:
        _provision(change, password, {"email": email, "roles": list(roles), "is_deleted": False})
    return _complete(change)


def update_user(
    *, actor: CognitoUser, cognito_user_id: UUID | None, password: str = "", **profile: Unpack[Profile]
) -> MopedUser:
    """
    Change a person's profile, roles, address or password; what is not replaced yet stays valid.

    :param cognito_user_id: None if the caller named no account
    :raises UserNotFoundError: if there is no such account
    :raises InactiveError: if the person is inactive
    :raises WorkgroupUnknownError: if there is no such workgroup
    :raises AddressTakenError: if another account signs in with the address
    :raises UserExistsError: if somebody else has the address
    :raises SelfError: if an admin takes that role from themselves
    :raises LastAdminError: if nobody would be left who is one
    """
    user = rows.to_change(cognito_user_id, profile["email"])
    policies.require_workgroup(profile["workgroup_id"])
    moved = profile["email"] if profile["email"] != user.address else ""
    details = {"new_email": moved, "cognito_user_id": user.cognito_user_id}
    with pending.pending_change(
        PendingChange.UPDATE, actor=actor, email=user.address, sets_password=bool(password), **details
    ) as change:
        _apply_update(change, actor, password, profile)
    return _complete(change)


def deactivate_user(*, actor: CognitoUser, cognito_user_id: UUID) -> None:
    """
    Take a person's rights and accounts away; the row stays, since the City's history points at it.

    The claims go first: whoever is inactive in the database can never sign in.

    :raises UserNotFoundError: if there is no such account
    :raises SelfError: if it is one's own
    :raises LastAdminError: if nobody would be left to administer accounts
    """
    decided = pending.decided_deactivation(cognito_user_id)
    if decided:
        pending.complete(decided)
        return
    user = rows.by_account(cognito_user_id)
    policies.forbid_self(user, actor)
    with pending.pending_change(
        PendingChange.DELETE, actor=actor, email=user.address, cognito_user_id=cognito_user_id
    ) as change:
        _revoke(change, actor)
    pending.complete(change)
    current_roles.invalidate(change.email)


def resume(change: PendingChange) -> list[str]:
    """
    End a change that was cut off: a deactivation is carried out, any other is led back.

    :return: what was done, in words
    :raises UpstreamError: if a store cannot be reached
    """
    if change.is_done:
        pending.delete(change)
        return [f"noted that the change {change.operation!r} of {change.email} is complete"]
    if change.operation != PendingChange.DELETE:
        return pending.roll_back(change)
    try:
        if not change.decided:
            _revoke(change, None)
        pending.complete(change)
    except (ConflictError, NotFoundError):  # the rules of today forbid what those of then allowed
        return pending.roll_back(change)
    return [f"carried out the deactivation of {change.email}"]


# ---- with the lock on the address ----------------------------------------------------------------


def _provision(change: PendingChange, password: str, values: Mapping[str, Any]) -> None:
    """Make row, account and item of a person; nothing of it can be used before all of it is there."""
    with transaction.atomic():
        pending.lock_and_reload(change)
        found = rows.locked_by_email(change.email)
        _require_inactive(change.operation, found, values["roles"])
        before = audit.snapshot(found)
        user = rows.save(found or MopedUser(), values)
        seen = claims_table.get(change.email)
        change.touched = True
        account = cognito_accounts.get_or_create(change, password)
        rows.set_cognito_id(user, account.username)
        cognito_accounts.set_password(change, account, password)
        cognito_accounts.end_adopted_sessions(change, account)
        claims_table.put(email=user.address, claims=user.claims, instead_of=seen)
        audit.record(change, user, before, password_set=True)
        pending.mark_committed(change)


def _apply_update(change: PendingChange, actor: CognitoUser, password: str, profile: Profile) -> None:
    """Change row, item, address and password; the old ones stay valid until the new ones are."""
    with transaction.atomic():
        pending.lock_and_reload(change)
        user = rows.select_for_update(change)
        if not user.may_sign_in:
            raise InactiveError
        policies.require_another_admin(user, profile["roles"], profile["email"], actor)
        before = audit.snapshot(user)
        rows.save(user, profile)
        account = cognito_accounts.for_update(user)
        seen = claims_table.get(user.address)
        change.touched = True
        cognito_accounts.write_claims(user, seen)
        cognito_accounts.set_email(account, user.address)
        cognito_accounts.set_password(change, account, password)
        audit.record(change, user, before, password_set=bool(password))
        pending.mark_committed(change)


def _revoke(change: PendingChange, actor: CognitoUser | None) -> None:
    """Take the claims away first, then every session; the accounts go once it is decided."""
    with transaction.atomic():
        pending.lock_and_reload(change)
        user = rows.select_for_update(change)
        policies.require_another_admin(user, (), user.address, actor)
        before = audit.snapshot(user)
        rows.mark_deleted(user)
        change.touched = True
        claims_table.delete(change.email)
        cognito_accounts.sign_out(change)
        audit.record(change, user, before)
        pending.mark_committed(change)


def _require_inactive(operation: str, user: MopedUser | None, roles: Sequence[str]) -> None:
    if user is None or not user.may_sign_in:
        return
    if operation == PendingChange.CREATE:
        raise UserExistsError
    # With the same roles it is a repetition, and the dialog of the editor knows no way but success.
    if set(user.login_roles) != set(roles):
        raise AlreadyActiveError


# ---- once it is decided --------------------------------------------------------------------------


def _complete(change: PendingChange) -> MopedUser:
    """Do what the decision left to do, and answer: with the row, if nobody else answered for it."""
    current_roles.invalidate(*change.addresses)
    user = MopedUser.objects.select_related("workgroup").get(email=change.new_email or change.email)
    if change.new_email:
        pending.complete(change)
    elif not pending.delete_best_effort(change) and change.operation == PendingChange.CREATE:
        raise UserExistsError  # an identical request found the work done before we could say so
    return user


def _repeat_create(actor: CognitoUser | None, password: str, profile: Profile) -> MopedUser:
    """
    Answer a create whose first answer was lost, and set the password of this request.

    The first request may have had another password, which is not stored anywhere.

    :raises UserExistsError: if this is not such a repetition
    """
    with transaction.atomic():
        pending.lock([profile["email"]])
        user = rows.locked_by_email(profile["email"])
        if user is None or not (user.may_sign_in and rows.matches(user, profile)):
            raise UserExistsError
        if not pending.take_committed(PendingChange.CREATE, profile["email"]):
            raise UserExistsError
        cognito.set_password(str(user.cognito_user_id), password)
        audit.record_password(PendingChange.CREATE, user, actor)
    return user
