"""
Staff accounts: one user in three stores, one order of effects (ADR 0006).

1. `attempts.begin` commits a pending change, so that an interrupted attempt leaves a trace.
2. `attempts.carry_out` locks the address in a transaction. What can refuse the change comes first: policies,
   the row and its constraints. Then the pool, the claims table and the history change. The commit decides.
3. What needs the decision comes after it: accounts and items without an owner are deleted, then the pending
   change. If nothing is left to do, the commit itself deletes the pending change.

A failure before the commit is rolled back to what the database says. What a commit left to do is finished by
the next attempt or by `manage.py reconcile_users`.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from apps.auth.callers import CognitoUser
from apps.claims import items as claims_items
from apps.core.errors import ConflictError, NotFoundError
from apps.users import policies
from apps.users.adapters import cognito
from apps.users.changes import attempts, stores
from apps.users.changes.attempts import Attempt
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
    :param profile: the validated fields of the editor's form; `is_coa_staff` follows from the address
    :raises WorkgroupUnknownError: if there is no such workgroup
    :raises UserExistsError: if an active user has the address
    :raises WeakPasswordError: if the pool refuses the password
    """
    policies.require_workgroup(profile["workgroup_id"])
    change = attempts.begin(PendingChange.CREATE, actor=actor, email=profile["email"], password=password)
    with attempts.carry_out(change) as attempt:
        user = MopedUser.objects.select_for_update().with_address(change.email) or MopedUser()
        if user.may_sign_in:
            raise UserExistsError
        _provision(attempt, user, password, **profile)
    user.refresh_from_db()
    return user


def activate_user(*, actor: CognitoUser, email: str, password: str, roles: Sequence[str]) -> MopedUser:
    """
    Give an account to a known user who has none: deactivated before, or never with a sign-in.

    A repetition with the same roles succeeds: the editor's dialog cannot show an error.

    :raises UserNotFoundError: if no user has this address
    :raises AlreadyActiveError: if the user is active with other roles
    :raises WeakPasswordError: if the pool refuses the password
    """
    change = attempts.begin(PendingChange.ACTIVATE, actor=actor, email=email, password=password)
    with attempts.carry_out(change) as attempt:
        user = MopedUser.objects.select_for_update().with_address(email)
        if user is None:
            raise UserNotFoundError
        if user.may_sign_in and set(user.login_roles) != set(roles):
            raise AlreadyActiveError
        _provision(attempt, user, password, roles=list(roles))
    return user


def _provision(attempt: Attempt, user: MopedUser, password: str, **values: Any) -> None:
    """Write the row, the account and the item; the user can sign in once all three are there."""
    change = attempt.change
    before = user.audited_values() if user.pk else {}
    user.save_values(**values, is_deleted=False)
    item = claims_items.get(change.email)
    attempt.touched = True
    account = stores.get_or_create_account(change, password)
    user.save_values(cognito_user_id=UUID(account.username))
    cognito.set_password(account.username, password)
    if account.mark != str(change.pk):  # an adopted account, whose sessions may be another person's
        cognito.sign_out(account.username)
    claims_items.put(email=user.address, claims=user.claims, expected=item)
    attempt.record(user, before)


# ---- update --------------------------------------------------------------------------------------


def update_user(
    *, actor: CognitoUser, cognito_user_id: UUID, password: str | None = None, **profile: Any
) -> MopedUser:
    """
    Change a user's profile, roles, address or password; the old ones stay valid until the new ones are.

    :param profile: the validated fields of the editor's form
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
    change = attempts.begin(
        PendingChange.UPDATE,
        actor=actor,
        email=user.address,
        new_email=profile["email"] if profile["email"] != user.address else "",
        cognito_user_id=user.cognito_user_id,
        password=password,
    )
    with attempts.carry_out(change) as attempt:
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
    Return the user whom an admin saves.

    An inactive user has no account. The editor's page may still show the former one, or none.
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
    Take a user's rights and accounts away; the row stays, because other tables reference it.

    The claims go first: a user who is inactive in the database can never sign in. A repetition has no effect.

    :raises UserNotFoundError: if there is no such account
    :raises OwnAccountError: if it is the actor's own
    :raises LastAdminError: if no admin would be left
    """
    user = MopedUser.objects.with_account(cognito_user_id)
    if user is None:
        raise UserNotFoundError
    if user.cognito_user_id != cognito_user_id:  # deactivated already
        for change in PendingChange.objects.filter(cognito_user_id=cognito_user_id):
            attempts.end(change)
        return
    if policies.is_same_person(user, actor):
        raise OwnAccountError
    change = attempts.begin(
        PendingChange.DELETE, actor=actor, email=user.address, cognito_user_id=cognito_user_id
    )
    with attempts.carry_out(change) as attempt:
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
    End an interrupted change: a deactivation is completed, any other is finished or rolled back.

    :raises UpstreamError: if a store cannot be reached
    """
    if change.decided or change.operation != PendingChange.DELETE:
        attempts.end(change)
        return
    try:
        with attempts.carry_out(change, touched=True) as attempt:
            _revoke(attempt, None)
    except (ConflictError, NotFoundError):  # a change since then forbids the deactivation
        attempts.end(change)


def _lock_user(change: PendingChange) -> MopedUser:
    """
    Return the user of a change, with the row locked until the transaction ends.

    :raises BusyError: if the account belongs to another address, or to no user, by now
    """
    user = MopedUser.objects.select_for_update().filter(cognito_user_id=change.cognito_user_id).first()
    if user is None or user.address != change.email:
        raise BusyError
    return user
