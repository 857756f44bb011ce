"""Who is there: lists from the database alone, one person from all three stores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Q, TextField, Value
from django.db.models.functions import Concat

from apps.claims import table as claims_table
from apps.claims.identity import is_city_address, sso_username
from apps.users.adapters import cognito
from apps.users.changes import cognito_accounts, rows
from apps.users.errors import UserNotFoundError
from apps.users.models import Event, MopedUser

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet

    from apps.claims.hasura import HasuraClaims
    from apps.users.adapters.cognito import Account

# People read a history. For more, query the table.
LONGEST_HISTORY = 200


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the people, and how many there are in all."""

    total: int
    people: list[MopedUser]


@dataclass(frozen=True, slots=True)
class UserDetail:
    """What the three stores know of one person; None where a store knows nothing."""

    user: MopedUser
    account: Account | None
    sso_account: Account | None
    claims: HasuraClaims | None


def list_users(*, limit: int, offset: int, **filters: Any) -> Page:
    """Return a page of people, by last name; two queries, whatever the size of the table."""
    found = _filtered(**filters)
    ordered = found.select_related("workgroup").order_by("last_name", "first_name", "user_id")
    return Page(found.count(), list(ordered[offset : offset + limit]))


def get_user_detail(cognito_user_id: UUID) -> UserDetail:
    """
    Return what is known of the person with this account.

    :raises UserNotFoundError: if it is nobody's
    :raises UnavailableError: if a store cannot be reached
    """
    user = rows.by_account(cognito_user_id)
    return UserDetail(
        user,
        account=cognito.get_or_none(str(cognito_user_id)),
        sso_account=_sso_account(user.address),
        claims=cognito_accounts.decode_or_none(claims_table.get(user.address)),
    )


def history(cognito_user_id: UUID) -> list[Event]:
    """
    Return what was done to the person who has this account, or had it until it was taken away.

    :return: the latest first
    :raises UserNotFoundError: if no user ever had it
    """
    owners = MopedUser.objects.filter(cognito_user_id=cognito_user_id).values_list("pk", flat=True)
    former = Event.objects.filter(cognito_user_id=cognito_user_id).values_list("user_id", flat=True)
    user_id = owners.first() or former.last()
    if user_id is None:
        raise UserNotFoundError
    return list(Event.objects.filter(user=user_id).order_by("-id")[:LONGEST_HISTORY])


def _filtered(*, search: str, role: str, workgroup: int | None, active: bool | None) -> QuerySet[MopedUser]:
    found = MopedUser.objects.all()
    if search:
        name = Concat("first_name", Value(" "), "last_name", output_field=TextField())
        found = found.alias(name=name).filter(Q(name__icontains=search) | Q(email__icontains=search))
    if role:
        found = found.filter(roles__contains=[role])
    if workgroup is not None:
        found = found.filter(workgroup_id=workgroup)
    return found if active is None else found.filter(is_deleted=not active)


def _sso_account(address: str) -> Account | None:
    if not is_city_address(address):
        return None
    return cognito.get_or_none(sso_username(address))
