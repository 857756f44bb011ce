"""What is done to the account and the item of one person, while the lock on the address is held."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from apps.claims import table as claims_table
from apps.claims.identity import is_city_address, sso_username
from apps.claims.items import UnreadableItemError
from apps.core.errors import InvalidError
from apps.users.adapters import cognito
from apps.users.errors import (
    AccountExistsError,
    AccountNotFoundError,
    AddressHeldError,
    AddressTakenError,
)

if TYPE_CHECKING:
    from apps.claims.hasura import HasuraClaims
    from apps.claims.table import StoredItem
    from apps.users.adapters.cognito import Account
    from apps.users.models import MopedUser, PendingChange


def get_or_create(change: PendingChange, password: str) -> Account:
    """
    Return the account of an address: a stray one is adopted, else one is made and marked as ours.

    :raises WeakPasswordError: if the pool refuses the password
    :raises AddressHeldError: if the pool refuses a second account beside one that cannot be adopted
    """
    account = _find_unowned(change.email)
    if account is None:
        try:
            return cognito.create(email=change.email, password=password, mark=str(change.pk))
        except AccountExistsError as error:
            # Another request or boto3's first attempt created it: the mark says which of the two.
            account = native_account(change.email)
            if account is None:
                raise AddressHeldError from error
    set_email(account, change.email)
    if not account.is_enabled:
        cognito.enable(account.username)
    return account


def for_update(user: MopedUser) -> Account:
    """
    Return a person's account, once nobody else's signs in with the address it is to have.

    :raises AccountNotFoundError: if it is gone from the pool
    :raises AddressTakenError: if another account has the address
    """
    account = cognito.get(str(user.cognito_user_id))
    if account.address != user.address:
        holder = native_account(user.address)
        if holder and holder.username != account.username:
            raise AddressTakenError
    return account


def native_account(address: str) -> Account | None:
    """
    Return the native account that signs in with an address, None if there is none.

    A pool that resolves an address to the single sign-on account hides the native one behind it.
    """
    account = cognito.get_or_none(address)
    return account if account is None or account.is_native else _find_unowned(address)


def set_email(account: Account, address: str) -> None:
    """Make an account sign in with this address, for which an admin vouches; the claims are there already."""
    if account.email != address or not account.is_verified:
        cognito.set_email(account.username, address, is_verified=True)


def restore_email(account: Account, address: str) -> list[str]:
    """Make an account sign in with this address again; nobody vouches, so none becomes verified by it."""
    if account.email == address:
        return []
    cognito.set_email(account.username, address, is_verified=account.is_verified)
    return [f"gave the account {account.username} the address {address}"]


def write_claims(user: MopedUser, stored: StoredItem) -> list[str]:
    """Make an item say what the row says, to every reader."""
    with suppress(UnreadableItemError):
        if stored.is_written_as(user.claims):
            return []
    return rewrite_claims(user, stored)


def rewrite_claims(user: MopedUser, stored: StoredItem) -> list[str]:
    """Write the item again even if it is right: writes that are still on their way then have no effect."""
    claims_table.put(email=user.address, claims=user.claims, instead_of=stored)
    return [f"wrote the claims of {user.address}"]


def set_password(change: PendingChange, account: Account, password: str) -> None:
    """
    Give an account the password it was promised; without one it keeps what it has.

    :raises WeakPasswordError: if the pool refuses it
    """
    if not password:
        return
    change.password_sent = True
    try:
        cognito.set_password(account.username, password)
    except InvalidError:
        change.password_sent = False
        raise


def end_adopted_sessions(change: PendingChange, account: Account) -> None:
    """End the sessions of an account that this change did not make: nobody knows whose they are."""
    if account.mark != str(change.pk):
        cognito.sign_out(account.username)


def sign_out(change: PendingChange) -> None:
    """End every session of a person's accounts; those that are gone are fine."""
    for username in usernames(change):
        with suppress(AccountNotFoundError):
            cognito.sign_out(username)


def remove(username: str) -> list[str]:
    """Remove an account and its sessions; one that is gone is fine."""
    with suppress(AccountNotFoundError):
        cognito.delete(username)
        return [f"removed the account {username}"]
    return []


def usernames(change: PendingChange) -> list[str]:
    """Return the names of the accounts a person has: the native one, and the single sign-on's."""
    names = [str(change.cognito_user_id)]
    if is_city_address(change.email):
        names.append(sso_username(change.email))
    return names


def decode_or_none(stored: StoredItem) -> HasuraClaims | None:
    """Return the claims of an item; None if there are none that anybody could read."""
    try:
        return stored.claims
    except UnreadableItemError:
        return None


def _find_unowned(email: str) -> Account | None:
    # A list of accounts may lag behind: what it names must still be there.
    named = (cognito.get_or_none(found.username) for found in cognito.find(email) if found.is_native)
    return next(filter(None, named), None)
