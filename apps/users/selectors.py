"""Reads: lists come from the database, the details of one user from all three stores."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet, TextField, Value
from django.db.models.functions import Concat

from apps.claims import items as claims_items
from apps.claims.hasura import HasuraClaims
from apps.claims.identity import is_city_address, sso_username
from apps.users.adapters import cognito
from apps.users.adapters.cognito import Account
from apps.users.changes import stores
from apps.users.errors import UserNotFoundError
from apps.users.models import Event, MopedUser, MopedWorkgroup

# Events that `history` returns at most.
LONGEST_HISTORY = 200


@dataclass(frozen=True, slots=True)
class UserDetail:
    """One user's data in the three stores. None stands for a missing account or item."""

    user: MopedUser
    account: Account | None
    sso_account: Account | None
    claims: HasuraClaims | None


def list_users(
    *, search: str = "", role: str = "", workgroup: int | None = None, active: bool | None = None
) -> QuerySet[MopedUser]:
    """
    Return the users who match all filters, with their workgroups, by last name.

    :param search: part of a name or of an address
    :param workgroup: its id
    """
    users = MopedUser.objects.select_related("workgroup").order_by("last_name", "first_name", "user_id")
    if search:
        name = Concat("first_name", Value(" "), "last_name", output_field=TextField())
        users = users.alias(name=name).filter(Q(name__icontains=search) | Q(email__icontains=search))
    if role:
        users = users.filter(roles__contains=[role])
    if workgroup is not None:
        users = users.filter(workgroup_id=workgroup)
    return users if active is None else users.filter(is_deleted=not active)


def list_workgroups() -> dict[int, str]:
    """Return the names of the workgroups in use, by id and sorted by name."""
    workgroups = MopedWorkgroup.objects.filter(is_deleted=False).order_by("workgroup_name")
    return dict(workgroups.values_list("workgroup_id", "workgroup_name"))


def list_all_workgroups() -> dict[int, str]:
    """Return the names of all workgroups: those in use first, then the former ones."""
    former = MopedWorkgroup.objects.filter(is_deleted=True).order_by("workgroup_name")
    return list_workgroups() | {group.pk: f"{group.workgroup_name} (former)" for group in former}


def get_user_detail(cognito_user_id: UUID) -> UserDetail:
    """
    Return the details of the user with this account, or of the inactive user who had it.

    :raises UserNotFoundError: if there is no such user
    :raises UnavailableError: if a store cannot be reached
    """
    user = MopedUser.objects.with_account(cognito_user_id)
    if user is None:
        raise UserNotFoundError
    sso_name = sso_username(user.address) if is_city_address(user.address) else ""
    return UserDetail(
        user,
        account=cognito.get_or_none(str(cognito_user_id)),
        sso_account=cognito.get_or_none(sso_name) if sso_name else None,
        claims=stores.decode_or_none(claims_items.get(user.address)),
    )


def history(cognito_user_id: UUID) -> list[Event]:
    """
    Return the history of the user who has or had this account.

    :return: the latest first
    :raises UserNotFoundError: if no user ever had it
    """
    owners = MopedUser.objects.filter(cognito_user_id=cognito_user_id).values_list("pk", flat=True)
    former = Event.objects.filter(cognito_user_id=cognito_user_id).values_list("user_id", flat=True)
    user_id = owners.first() or former.last()
    if user_id is None:
        raise UserNotFoundError
    return list(Event.objects.filter(user=user_id).order_by("-id")[:LONGEST_HISTORY])
