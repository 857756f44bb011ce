"""
Staff accounts: every change writes to the three stores in one order (ADR 0006).

1. `transactions.begin` commits a pending change, so that an interrupted attempt leaves a trace.
2. `transactions.carry_out` locks the address in a transaction. Steps that can refuse the change come first:
   policies, the row and its constraints. Then the pool, the claims table and the history change.
3. After the commit, accounts and items without an owner are deleted, then the pending change. If there are
   none, the commit itself deletes the pending change.

After a failure before the commit, the stores are rolled back to match the database. After an interruption,
the next attempt or `manage.py reconcile_users` does the remaining steps.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from apps.auth.callers import CognitoUser
from apps.claims import items as claims_items
from apps.core.errors import ConflictError, NotFoundError
from apps.users import policies
from apps.users.adapters import cognito
from apps.users.changes import stores, transactions
from apps.users.changes.transactions import Attempt
from apps.users.errors import (
    AlreadyActiveError,
    BusyError,
    InactiveError,
    OwnAccountError,
    UserExistsError,
    UserNotFoundError,
)
from apps.users.models import MopedUser, PendingChange

# ---- create and activate -------------------------------------------------------------------------


def create_user(*, actor: CognitoUser | None, password: str, **profile: Any) -> MopedUser:
    """
    Create a user with an account, or give an inactive user an account again.

    :param actor: None for an operator (`create_first_admin`)
    :param profile: the validated fields of the editor's form
    :raises WorkgroupUnknownError: if there is no such workgroup
    :raises UserExistsError: if an active user has the address
    :raises WeakPasswordError: if the pool refuses the password
    """
    policies.require_workgroup(profile["workgroup_id"])
    change = transactions.begin(PendingChange.CREATE, actor=actor, email=profile["email"], password=password)
    with transactions.carry_out(change) as attempt:
        user = MopedUser.objects.select_for_update().with_address(change.email) or MopedUser()
        if user.may_sign_in:
            raise UserExistsError
        _provision(attempt, user, password, **profile)
    user.refresh_from_db()
    return user


def activate_user(*, actor: CognitoUser, email: str, password: str, roles: Sequence[str]) -> MopedUser:
    """
    Give an account to a deactivated user, or to a user who never had one.

    A repeated call with the same roles succeeds, because the editor's dialog cannot show an error.

    :raises UserNotFoundError: if no user has this address
    :raises AlreadyActiveError: if the user is active with other roles
    :raises WeakPasswordError: if the pool refuses the password
    """
    change = transactions.begin(PendingChange.ACTIVATE, actor=actor, email=email, password=password)
    with transactions.carry_out(change) as attempt:
        user = MopedUser.objects.select_for_update().with_address(email)
        if user is None:
            raise UserNotFoundError
        if user.may_sign_in and set(user.login_roles) != set(roles):
            raise AlreadyActiveError
        _provision(attempt, user, password, roles=list(roles))
    return user


def _provision(attempt: Attempt, user: MopedUser, password: str, **values: Any) -> None:
    """Write the row, the account and the claims item. Only then can the user sign in."""
    change = attempt.change
    before = user.audited_values() if user.pk else {}
    user.save_values(**values, is_deleted=False)
    item = claims_items.get(change.email)
    attempt.touched = True
    account = stores.get_or_create_account(change, password)
    user.save_values(cognito_user_id=UUID(account.username))
    cognito.set_password(account.username, password)
    if account.mark != str(change.pk):  # an older account: its sessions may be another person's
        cognito.sign_out(account.username)
    claims_items.put(email=user.address, claims=user.claims, expected=item)
    attempt.record(user, before)


# ---- update --------------------------------------------------------------------------------------


def update_user(
    *, actor: CognitoUser, cognito_user_id: UUID, password: str | None = None, **profile: Any
) -> MopedUser:
    """
    Change a user's profile, roles, address or password. The old values stay valid until the new ones are.

    :param profile: the validated fields of the editor's form
    :raises UserNotFoundError: if there is no such account
    :raises InactiveError: if the user is inactive
    :raises WorkgroupUnknownError: if there is no such workgroup
    :raises AddressTakenError: if another account signs in with the address
    :raises UserExistsError: if another user has the address
    :raises OwnAccountError: if the actor would lose the admin role
    :raises LastAdminError: if no admin would be left
    """
    user = _user_to_update(cognito_user_id, profile["email"])
    policies.require_workgroup(profile["workgroup_id"])
    change = transactions.begin(
        PendingChange.UPDATE,
        actor=actor,
        email=user.address,
        new_email=profile["email"] if profile["email"] != user.address else "",
        cognito_user_id=user.cognito_user_id,
        password=password,
    )
    with transactions.carry_out(change) as attempt:
        user = _lock_user(change)
        if not user.may_sign_in:
            raise InactiveError
        policies.require_another_admin(user, profile["roles"], profile["email"], actor)
        before = user.audited_values()
        user.save_values(**profile)
        account = stores.account_to_update(user)
        item = claims_items.get(user.address)
        attempt.touched = True
        stores.write_claims(user, item)
        stores.update_account(account, user.address, password)
        attempt.record(user, before)
    return user


def _user_to_update(cognito_user_id: UUID, email: str) -> MopedUser:
    """
    Return the user with this account.

    The editor may send an inactive user's former account or none. Then the address finds the user.
    """
    user = MopedUser.objects.with_account(cognito_user_id) or MopedUser.objects.with_address(email)
    if user and not user.may_sign_in:
        raise InactiveError
    if user is None or user.cognito_user_id != cognito_user_id:
        raise UserNotFoundError
    return user


# ---- deactivate ----------------------------------------------------------------------------------


def deactivate_user(*, actor: CognitoUser, cognito_user_id: UUID) -> None:
    """
    Delete a user's claims and accounts. The row stays, because other tables reference it.

    The claims are deleted first, so an inactive user cannot sign in. A repeated call has no effect.

    :raises UserNotFoundError: if there is no such account
    :raises OwnAccountError: if the actor is this user
    :raises LastAdminError: if no admin would be left
    """
    user = MopedUser.objects.with_account(cognito_user_id)
    if user is None:
        raise UserNotFoundError
    if user.cognito_user_id != cognito_user_id:  # already deactivated
        for change in PendingChange.objects.filter(cognito_user_id=cognito_user_id):
            transactions.finish_or_roll_back(change)
        return
    if policies.is_same_person(user, actor):
        raise OwnAccountError
    change = transactions.begin(
        PendingChange.DELETE, actor=actor, email=user.address, cognito_user_id=cognito_user_id
    )
    with transactions.carry_out(change) as attempt:
        _revoke(attempt, actor)


def _revoke(attempt: Attempt, actor: CognitoUser | None) -> None:
    user = _lock_user(attempt.change)
    policies.require_another_admin(user, (), user.address, actor)
    before = user.audited_values()
    user.save_values(is_deleted=True, cognito_user_id=None)
    attempt.touched = True
    claims_items.delete(attempt.change.email)
    stores.sign_out(attempt.change)
    attempt.record(user, before)


# ---- any change ----------------------------------------------------------------------------------


def resume(change: PendingChange) -> None:
    """
    End an interrupted change. A deactivation or a committed change is completed. Others are rolled back.

    :raises UpstreamError: if a store cannot be reached
    """
    if change.decided or change.operation != PendingChange.DELETE:
        transactions.finish_or_roll_back(change)
        return
    try:
        with transactions.carry_out(change, touched=True) as attempt:
            _revoke(attempt, None)
    except (ConflictError, NotFoundError):  # a later change forbids the deactivation
        transactions.finish_or_roll_back(change)


def _lock_user(change: PendingChange) -> MopedUser:
    """
    Return the user of a change, with the row locked until the transaction ends.

    :raises BusyError: if the account now has another address or no user
    """
    user = MopedUser.objects.select_for_update().filter(cognito_user_id=change.cognito_user_id).first()
    if user is None or user.address != change.email:
        raise BusyError
    return user
