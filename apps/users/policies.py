"""When may what be done to an account: the rules that need the database, in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.claims.hasura import ADMIN
from apps.claims.identity import is_city_address, normalize
from apps.users.changes import pending
from apps.users.errors import LastAdminError, OwnAccountError, WorkgroupUnknownError
from apps.users.models import MopedUser, MopedWorkgroup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apps.auth.callers import CognitoUser

# The lock of every change that removes an admin, so that two admins cannot remove each other at once.
ADMIN_LOCK = "moped-admins"


def require_workgroup(workgroup_id: int) -> None:
    """
    Refuse a workgroup that does not exist or is no longer in use.

    :raises WorkgroupUnknownError: if there is none, or it is no longer in use
    """
    if not MopedWorkgroup.objects.filter(pk=workgroup_id, is_deleted=False).exists():
        raise WorkgroupUnknownError


def require_another_admin(
    user: MopedUser, roles: Sequence[str], address: str, actor: CognitoUser | None
) -> None:
    """
    Refuse roles and an address that take the admin role from the actor or from the last admin.

    Call this in the transaction that changes the user, before the change.

    :raises OwnAccountError: if it is the actor's own account
    :raises LastAdminError: if it is the last admin
    """
    if grants_admin(roles, address) or not is_admin(user):
        return
    if actor and is_same_person(user, actor):
        raise OwnAccountError
    pending.lock([ADMIN_LOCK])
    others = MopedUser.objects.filter(is_deleted=False, roles__contains=[ADMIN]).exclude(pk=user.pk)
    if not any(map(is_admin, others)):
        raise LastAdminError


def forbid_self(user: MopedUser, actor: CognitoUser) -> None:
    """
    Refuse to remove the actor's own account.

    :raises OwnAccountError: if it is the actor's own account
    """
    if is_same_person(user, actor):
        raise OwnAccountError


def is_admin(user: MopedUser) -> bool:
    """Return whether this person can administer accounts."""
    return user.may_sign_in and grants_admin(user.login_roles, user.address)


def grants_admin(roles: Sequence[str], address: str) -> bool:
    """Return whether these make an admin: that is for City staff only."""
    return ADMIN in roles and is_city_address(address)


def is_same_person(user: MopedUser, actor: CognitoUser) -> bool:
    """Return whether the actor is this person, through whichever of their accounts they signed in."""
    return (
        actor.claims.database_id == str(user.pk)
        or actor.claims.user_id == str(user.cognito_user_id)
        or normalize(actor.email) == user.address
    )
