"""Rows of people: found, locked and written; the database's refusals in our words."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import IntegrityError

from apps.claims.identity import is_city_address
from apps.users.errors import (
    AddressTakenError,
    BusyError,
    InactiveError,
    UserExistsError,
    UserNotFoundError,
)
from apps.users.models import Event, MopedUser

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from apps.core.errors import MopedError
    from apps.users.models import PendingChange

REFUSALS: dict[str, type[MopedError]] = {
    "moped_users_email_key": UserExistsError,
    "moped_users_unique_email_idx": UserExistsError,
    "moped_users_cognito_user_id_key": AddressTakenError,
    # Hasura's seeds run ahead of the sequence; the next number may be free.
    "moped_users_pkey": BusyError,
    "moped_users_user_id_key": BusyError,
}


def by_email(email: str) -> MopedUser | None:
    """Return the person with this address, in whatever case, active or not."""
    return MopedUser.objects.filter(email=email).first()


def by_account(cognito_user_id: UUID) -> MopedUser:
    """
    Return the person to whom an account belongs.

    :raises UserNotFoundError: if it belongs to nobody
    """
    user = MopedUser.objects.filter(cognito_user_id=cognito_user_id).first()
    if user is None:
        raise UserNotFoundError
    return user


def to_change(cognito_user_id: UUID | None, email: str) -> MopedUser:
    """
    Return the person whom an admin saves.

    A deactivated person has no account. The admin's page may still show the former one, or none.

    :param cognito_user_id: the account in the path, None if the path names none
    :param email: the address in the form
    :raises InactiveError: if the person must be activated first
    :raises UserNotFoundError: if there is no such person
    """
    user = cognito_user_id and MopedUser.objects.filter(cognito_user_id=cognito_user_id).first()
    if user:
        return user
    if any(not person.may_sign_in for person in (_former_owner(cognito_user_id), by_email(email)) if person):
        raise InactiveError
    raise UserNotFoundError


def _former_owner(cognito_user_id: UUID | None) -> MopedUser | None:
    if cognito_user_id is None:
        return None
    events = Event.objects.filter(cognito_user_id=cognito_user_id)
    return MopedUser.objects.filter(pk__in=events.values("user_id")).first()


def select_for_update(change: PendingChange) -> MopedUser:
    """
    Return the person whom a change is about, kept from others until the transaction ends.

    :raises BusyError: if the account went to another address, or to nobody, meanwhile
    """
    user = MopedUser.objects.select_for_update().filter(cognito_user_id=change.cognito_user_id).first()
    if user is None or user.address != change.email:
        raise BusyError
    return user


def locked_by_email(email: str) -> MopedUser | None:
    """Return the person with this address, kept from others until the transaction ends."""
    return MopedUser.objects.select_for_update().filter(email=email).first()


def save(user: MopedUser, values: Mapping[str, Any]) -> MopedUser:
    """
    Write a person's row, new or known.

    :raises UserExistsError: if somebody else has the address
    """
    for name, value in values.items():
        setattr(user, name, value)
    user.is_coa_staff = is_city_address(user.address)
    with _translate_integrity_errors():
        user.save()
    return user


def set_cognito_id(user: MopedUser, username: str) -> None:
    """
    Say which account is this person's.

    :raises AddressTakenError: if it is somebody else's
    """
    save(user, {"cognito_user_id": UUID(username)})


def mark_deleted(user: MopedUser) -> None:
    """Make a person inactive; whom the City's history names keeps a row."""
    save(user, {"is_deleted": True, "cognito_user_id": None})


def matches(user: MopedUser, profile: Mapping[str, Any]) -> bool:
    """Tell whether a row says all of this already."""
    return all(getattr(user, name) == value for name, value in profile.items())


@contextmanager
def _translate_integrity_errors() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
        if constraint in REFUSALS:
            raise REFUSALS[constraint] from error
        raise
