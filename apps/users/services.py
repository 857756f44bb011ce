"""
Staff accounts: one user in three stores, one order of effects (ADR 0006).

1. `attempts.begin` commits a pending change, so that an interrupted attempt leaves a trace.
2. `attempt.transaction` locks the address. What can refuse the change comes first: policies, the row and its
   constraints. Then the pool, the claims table and the history are changed. The commit decides.
3. What needs the decision comes after it: accounts are deleted, and the pending change too.

A failure before the commit is rolled back to what the database says. What a commit left to do is finished by
the next attempt or by `manage.py reconcile_users`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict, Unpack
from uuid import UUID

from django.db import transaction

from apps.auth import current_roles
from apps.claims import table as claims_table
from apps.core.context import current
from apps.core.errors import ConflictError, NotFoundError
from apps.users import policies
from apps.users.adapters import cognito
from apps.users.changes import attempts, stores
from apps.users.errors import (
    AlreadyActiveError,
    BusyError,
    InactiveError,
    UserExistsError,
    UserNotFoundError,
)
from apps.users.models import PASSWORD_CHANGE, Event, MopedUser, PendingChange

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from apps.auth.callers import CognitoUser
    from apps.users.changes.attempts import Attempt


class Profile(TypedDict):
    """The fields of the editor's form; `is_coa_staff` follows from the address."""

    email: str
    first_name: str
    last_name: str
    title: str
    workgroup_id: int
    roles: list[str]
    is_user_group_member: bool
    note: str


# ---- create and activate -------------------------------------------------------------------------


def create_user(*, actor: CognitoUser | None, password: str, **profile: Unpack[Profile]) -> MopedUser:
    """
    Create a user with an account, or give an inactive user an account again.

    :param actor: None for an operator (`create_first_admin`)
    :raises WorkgroupUnknownError: if there is no such workgroup
    :raises UserExistsError: if an active user has the address
    :raises WeakPasswordError: if the pool refuses the password
    """
    email = profile["email"]
    policies.require_workgroup(profile["workgroup_id"])
    user = MopedUser.objects.with_address(email)
    if user and user.may_sign_in:
        return _repeat_create(actor, password, profile)
    with attempts.begin(PendingChange.CREATE, actor=actor, email=email, password=password) as attempt:
        _provision(attempt, {**profile, "is_deleted": False})
    return _complete(attempt.change)


def activate_user(*, actor: CognitoUser, email: str, password: str, roles: Sequence[str]) -> MopedUser:
    """
    Give an account to a known user who has none: deactivated before, or never with a sign-in.

    :raises UserNotFoundError: if no user has this address
    :raises AlreadyActiveError: if the user is active with other roles
    :raises WeakPasswordError: if the pool refuses the password
    """
    user = MopedUser.objects.with_address(email)
    if user is None:
        raise UserNotFoundError
    _require_inactive(PendingChange.ACTIVATE, user, roles)
    with attempts.begin(PendingChange.ACTIVATE, actor=actor, email=email, password=password) as attempt:
        _provision(attempt, {"email": email, "roles": list(roles), "is_deleted": False})
    return _complete(attempt.change)


def _provision(attempt: Attempt, values: Mapping[str, Any]) -> None:
    """Write the row, the account and the item; the user can sign in once all three are there."""
    change = attempt.change
    with attempt.transaction():
        existing = MopedUser.objects.select_for_update().with_address(change.email)
        _require_inactive(change.operation, existing, values["roles"])
        before = existing.audited_values() if existing else {}
        user = existing or MopedUser()
        user.save_values(**values)
        item = claims_table.get(change.email)
        attempt.touched = True
        account = stores.get_or_create_account(change, attempt.password)
        user.save_values(cognito_user_id=UUID(account.username))
        stores.set_password(attempt, account)
        stores.end_adopted_sessions(change, account)
        claims_table.put(email=user.address, claims=user.claims, instead_of=item)
        attempt.record(user, before)


def _require_inactive(operation: str, user: MopedUser | None, roles: Sequence[str]) -> None:
    if user is None or not user.may_sign_in:
        return
    if operation == PendingChange.CREATE:
        raise UserExistsError
    # A retry with the same roles must succeed: the editor's dialog cannot show an error.
    if set(user.login_roles) != set(roles):
        raise AlreadyActiveError


def _repeat_create(actor: CognitoUser | None, password: str, profile: Profile) -> MopedUser:
    """
    Answer a create whose first response was lost, and set the password of this request.

    The first request may have had another password, which is not stored anywhere.

    :raises UserExistsError: if this is not such a repetition
    """
    email = profile["email"]
    with transaction.atomic():
        attempts.lock([email])
        user = MopedUser.objects.select_for_update().with_address(email)
        if user is None or not user.may_sign_in:
            raise UserExistsError
        is_same = all(getattr(user, name) == value for name, value in profile.items())
        if not is_same or not attempts.take_committed(PendingChange.CREATE, email):
            raise UserExistsError
        cognito.set_password(str(user.cognito_user_id), password)
        actor_fields = attempts.actor_fields(actor)
        Event.append(PendingChange.CREATE, user, PASSWORD_CHANGE, actor_fields, current().request_id)
    return user


# ---- update --------------------------------------------------------------------------------------


def update_user(
    *, actor: CognitoUser, cognito_user_id: UUID | None, password: str = "", **profile: Unpack[Profile]
) -> MopedUser:
    """
    Change a user's profile, roles, address or password; the old ones stay valid until the new ones are.

    :param cognito_user_id: None if the path of the request names no account
    :raises UserNotFoundError: if there is no such account
    :raises InactiveError: if the user is inactive
    :raises WorkgroupUnknownError: if there is no such workgroup
    :raises AddressTakenError: if another account signs in with the address
    :raises UserExistsError: if another user has the address
    :raises OwnAccountError: if admins take the admin role from themselves
    :raises LastAdminError: if no admin would be left
    """
    user = _user_to_update(cognito_user_id, profile["email"])
    policies.require_workgroup(profile["workgroup_id"])
    accounts = {
        "cognito_user_id": user.cognito_user_id,
        "new_email": profile["email"] if profile["email"] != user.address else "",
    }
    with attempts.begin(
        PendingChange.UPDATE, actor=actor, email=user.address, password=password, **accounts
    ) as attempt:
        _update(attempt, actor, profile)
    return _complete(attempt.change)


def _update(attempt: Attempt, actor: CognitoUser, profile: Profile) -> None:
    with attempt.transaction():
        user = _lock_row(attempt.change)
        if not user.may_sign_in:
            raise InactiveError
        policies.require_another_admin(user, profile["roles"], profile["email"], actor)
        before = user.audited_values()
        user.save_values(**profile)
        account = stores.account_to_update(user)
        item = claims_table.get(user.address)
        attempt.touched = True
        stores.write_claims(user, item)
        stores.set_email(account, user.address)
        stores.set_password(attempt, account)
        attempt.record(user, before)


def _user_to_update(cognito_user_id: UUID | None, email: str) -> MopedUser:
    """
    Return the user whom an admin saves.

    An inactive user has no account. The editor's page may still show the former one, or none.
    """
    user = MopedUser.objects.with_account(cognito_user_id) if cognito_user_id else None
    user = user or MopedUser.objects.with_address(email)
    if user and not user.may_sign_in:
        raise InactiveError
    if user is None or user.cognito_user_id != cognito_user_id:
        raise UserNotFoundError
    return user


# ---- deactivate ----------------------------------------------------------------------------------


def deactivate_user(*, actor: CognitoUser, cognito_user_id: UUID) -> None:
    """
    Take a user's rights and accounts away; the row stays, because other tables reference it.

    The claims go first: a user who is inactive in the database can never sign in. A repetition has no effect.

    :raises UserNotFoundError: if there is no such account
    :raises OwnAccountError: if it is the actor's own
    :raises LastAdminError: if no admin would be left
    """
    committed = attempts.committed_deactivation(cognito_user_id)
    if committed:
        attempts.complete(committed)
        return
    user = MopedUser.objects.with_account(cognito_user_id)
    if user is None:
        raise UserNotFoundError
    if user.cognito_user_id != cognito_user_id:
        return
    policies.forbid_self(user, actor)
    with attempts.begin(
        PendingChange.DELETE, actor=actor, email=user.address, cognito_user_id=cognito_user_id
    ) as attempt:
        _revoke(attempt, actor)
    attempts.complete(attempt.change)
    current_roles.invalidate(attempt.change.email)


def _revoke(attempt: Attempt, actor: CognitoUser | None) -> None:
    with attempt.transaction():
        user = _lock_row(attempt.change)
        policies.require_another_admin(user, (), user.address, actor)
        before = user.audited_values()
        user.save_values(is_deleted=True, cognito_user_id=None)
        attempt.touched = True
        claims_table.delete(attempt.change.email)
        stores.sign_out(attempt.change)
        attempt.record(user, before)


# ---- any change ----------------------------------------------------------------------------------


def resume(change: PendingChange) -> list[str]:
    """
    End an interrupted change: a deactivation is completed, any other is rolled back.

    :return: a sentence for each effect
    :raises UpstreamError: if a store cannot be reached
    """
    if change.is_done:
        attempts.delete(change)
        return [f"noted that the change {change.operation!r} of {change.email} is complete"]
    if change.operation != PendingChange.DELETE:
        return attempts.roll_back(change)
    try:
        if not change.decided:
            _revoke(attempts.Attempt(change), None)
        attempts.complete(change)
    except (ConflictError, NotFoundError):  # a change since then forbids the deactivation
        return attempts.roll_back(change)
    return [f"carried out the deactivation of {change.email}"]


def _lock_row(change: PendingChange) -> MopedUser:
    """
    Return the user of a change, with the row locked until the transaction ends.

    :raises BusyError: if the account belongs to another address, or to no user, by now
    """
    user = MopedUser.objects.select_for_update().filter(cognito_user_id=change.cognito_user_id).first()
    if user is None or user.address != change.email:
        raise BusyError
    return user


def _complete(change: PendingChange) -> MopedUser:
    """Do what the commit left to do, and return the row."""
    current_roles.invalidate(*change.addresses)
    user = MopedUser.objects.select_related("workgroup").get(email=change.new_email or change.email)
    if change.new_email:
        attempts.complete(change)
    elif not attempts.delete_best_effort(change) and change.operation == PendingChange.CREATE:
        raise UserExistsError  # another identical request already returned this user
    return user
