"""
What changes do in the user pool and in the claims table, while they hold the lock on the addresses.

The first part has one function for each effect. The second part makes both stores agree with the database:
after a failure before the commit, and for what a commit left to do.
"""

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
from apps.users.models import MopedUser, PendingChange

if TYPE_CHECKING:
    from apps.claims.hasura import HasuraClaims
    from apps.claims.table import StoredItem
    from apps.users.adapters.cognito import Account
    from apps.users.changes.attempts import Attempt


def get_or_create_account(change: PendingChange, password: str) -> Account:
    """
    Return the account of an address: an account without an owner, else a new one with the change's mark.

    :raises WeakPasswordError: if the pool refuses the password
    :raises AddressHeldError: if the pool refuses a second account beside one that cannot be adopted
    """
    account = _find_native(change.email)
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


def account_to_update(user: MopedUser) -> Account:
    """
    Return a user's account, if no other account signs in with the user's new address.

    :raises AccountNotFoundError: if the pool does not have it
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
    return account if account is None or account.is_native else _find_native(address)


def set_email(account: Account, address: str) -> None:
    """Make an account sign in with this address, for which an admin vouches."""
    if account.email != address or not account.is_verified:
        cognito.set_email(account.username, address, is_verified=True)


def restore_email(account: Account, address: str) -> list[str]:
    """Make an account sign in with this address again, and leave `email_verified` as it is."""
    if account.email == address:
        return []
    cognito.set_email(account.username, address, is_verified=account.is_verified)
    return [f"gave the account {account.username} the address {address}"]


def set_password(attempt: Attempt, account: Account) -> None:
    """
    Set the attempt's password, if it has one.

    :raises WeakPasswordError: if the pool refuses it
    """
    if not attempt.password:
        return
    attempt.password_sent = True
    try:
        cognito.set_password(account.username, attempt.password)
    except InvalidError:
        attempt.password_sent = False
        raise


def end_adopted_sessions(change: PendingChange, account: Account) -> None:
    """End the sessions of an account that this change did not create: their owner is unknown."""
    if account.mark != str(change.pk):
        cognito.sign_out(account.username)


def sign_out(change: PendingChange) -> None:
    """End every session of a user's accounts."""
    for username in _usernames(change):
        with suppress(AccountNotFoundError):
            cognito.sign_out(username)


def delete_account(username: str) -> list[str]:
    """Delete an account and its sessions, if the pool has it."""
    with suppress(AccountNotFoundError):
        cognito.delete(username)
        return [f"removed the account {username}"]
    return []


def write_claims(user: MopedUser, stored: StoredItem) -> list[str]:
    """Make an item say what the row says, for our reader and the City's."""
    with suppress(UnreadableItemError):
        if stored.is_written_as(user.claims):
            return []
    return _rewrite_claims(user, stored)


def decode_or_none(stored: StoredItem) -> HasuraClaims | None:
    """Return the claims of an item, None if there is none or it cannot be decrypted."""
    try:
        return stored.claims
    except UnreadableItemError:
        return None


# ---- make both stores agree with the database ----------------------------------------------------


def roll_back(change: PendingChange) -> list[str]:
    """
    Make the stores agree on every address that an unfinished change touched.

    Of accounts, only those are deleted that the change itself created or was told to delete.

    :return: a sentence for each effect
    """
    done = [sentence for address in change.addresses for sentence in sync_from_database(address)]
    if change.decided:
        return done + finish(change)
    done += [sentence for address in change.addresses for sentence in _cancel_late_writes(address)]
    return done + [
        sentence for address in change.addresses for sentence in _delete_created_account(address, change)
    ]


def sync_from_database(address: str) -> list[str]:
    """Make the account and the item of an address say what the database says."""
    user = MopedUser.objects.with_address(address)
    return _grant_access(user) if user and user.may_sign_in else revoke_access(address)


def revoke_access(address: str) -> list[str]:
    """Delete the claims of an address."""
    if claims_table.get(address).item is None:
        return []
    claims_table.delete(address)
    return [f"removed the claims of {address}"]


def finish(change: PendingChange) -> list[str]:
    """
    Do what a committed change left to do: delete what has no owner any more.

    Another change may have held the lock since the commit, and given the address and the account an owner
    again. Then nothing is deleted.
    """
    owner = MopedUser.objects.with_address(change.email)
    if owner and owner.may_sign_in:
        return []
    if change.operation == PendingChange.DELETE:
        return [sentence for name in _usernames(change) for sentence in delete_account(name)]
    if change.new_email:
        claims_table.delete(change.email)
        if is_city_address(change.email):
            return delete_account(sso_username(change.email))
    return []


def _grant_access(user: MopedUser) -> list[str]:
    account = cognito.get_or_none(str(user.cognito_user_id))
    # A new account needs a password, from an admin. The claims count without one: the City's single
    # sign-on asks for them too.
    done = restore_email(account, user.address) if account else []
    return done + write_claims(user, claims_table.get(user.address))


def _rewrite_claims(user: MopedUser, stored: StoredItem) -> list[str]:
    claims_table.put(email=user.address, claims=user.claims, instead_of=stored)
    return [f"wrote the claims of {user.address}"]


def _cancel_late_writes(address: str) -> list[str]:
    """Write the item even if it is right: a write that AWS carries out later then has no effect."""
    user = MopedUser.objects.with_address(address)
    return _rewrite_claims(user, claims_table.get(address)) if user and user.may_sign_in else []


def _delete_created_account(address: str, change: PendingChange) -> list[str]:
    account = native_account(address)
    if account is None or account.mark != str(change.pk):
        return []
    is_adopted = MopedUser.objects.filter(cognito_user_id=account.username).exists()
    return [] if is_adopted else delete_account(account.username)


def _find_native(email: str) -> Account | None:
    # A list of accounts may lag behind: an account in it may be gone.
    accounts = (cognito.get_or_none(listed.username) for listed in cognito.find(email) if listed.is_native)
    return next(filter(None, accounts), None)


def _usernames(change: PendingChange) -> list[str]:
    """Return the names of the accounts that a user may have: native and single sign-on."""
    names = [str(change.cognito_user_id)]
    if is_city_address(change.email):
        names.append(sso_username(change.email))
    return names
