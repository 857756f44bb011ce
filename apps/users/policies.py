"""The rules for changes of accounts that need the database."""

from collections.abc import Sequence

from apps.auth.callers import CognitoUser
from apps.claims.hasura import ADMIN
from apps.claims.identity import is_city_address, normalize
from apps.users.changes import transactions
from apps.users.errors import LastAdminError, OwnAccountError, WorkgroupUnknownError
from apps.users.models import MopedUser, MopedWorkgroup

# Changes that remove an admin take this lock, so that two admins cannot remove each other at once.
ADMIN_LOCK = "moped-admins"


def require_workgroup(workgroup_id: int) -> None:
    """
    Refuse a workgroup that is unknown or no longer in use.

    :raises WorkgroupUnknownError: if the workgroup cannot be chosen
    """
    if not MopedWorkgroup.objects.filter(pk=workgroup_id, is_deleted=False).exists():
        raise WorkgroupUnknownError


def require_another_admin(
    user: MopedUser, roles: Sequence[str], address: str, actor: CognitoUser | None
) -> None:
    """
    Refuse a change that takes the admin role from the actor or from the last admin.

    New roles, another address and a deactivation can take it. Call this in the transaction of the change,
    before the change. A deactivation passes no roles.

    :param actor: None for an operator
    :raises OwnAccountError: if the user is the actor
    :raises LastAdminError: if the user is the last admin
    """
    if grants_admin(roles, address) or not is_admin(user):
        return
    if actor and is_same_person(user, actor):
        raise OwnAccountError
    transactions.lock([ADMIN_LOCK])
    admins = MopedUser.objects.filter(is_deleted=False, roles__contains=[ADMIN]).exclude(pk=user.pk)
    if not any(map(is_admin, admins)):
        raise LastAdminError


def is_admin(user: MopedUser) -> bool:
    """Whether this user can administer accounts."""
    return user.may_sign_in and grants_admin(user.login_roles, user.address)


def grants_admin(roles: Sequence[str], address: str) -> bool:
    """Whether these roles make an admin. Only City staff can be admins."""
    return ADMIN in roles and is_city_address(address)


def is_same_person(user: MopedUser, actor: CognitoUser) -> bool:
    """Whether the actor is this user, signed in with the native or the single sign-on account."""
    return (
        actor.claims.database_id == str(user.pk)
        or actor.claims.user_id == str(user.cognito_user_id)
        or normalize(actor.email) == user.address
    )
