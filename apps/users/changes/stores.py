"""Writes to the user pool and the claims table. The calling change holds the lock on the addresses."""

from contextlib import suppress

from apps.claims import items as claims_items
from apps.claims.hasura import HasuraClaims
from apps.claims.identity import is_city_address, sso_username
from apps.claims.items import StoredItem, UnreadableItemError
from apps.users.adapters import cognito
from apps.users.adapters.cognito import Account
from apps.users.errors import AccountNotFoundError, AddressHeldError, AddressTakenError
from apps.users.models import MopedUser, PendingChange


def get_or_create_account(change: PendingChange, password: str) -> Account:
    """
    Return a native account of an address, or create one that has the change's mark.

    :raises WeakPasswordError: if the pool refuses the password
    :raises AddressHeldError: if the pool refuses it because another kind of account has the address
    """
    account = _find_native(change.email)
    if account is None:
        try:
            return cognito.create(email=change.email, password=password, mark=str(change.pk))
        except AddressTakenError as error:
            # Another request or boto3's first attempt created the account. Its mark shows which of the two.
            account = native_account(change.email)
            if account is None:
                raise AddressHeldError from error
    update_account(account, change.email)
    if not account.is_enabled:
        cognito.enable(account.username)
    return account


def account_to_update(user: MopedUser) -> Account:
    """
    Return a user's account, after checking that no other account has the user's new address.

    :raises AccountNotFoundError: if the pool does not have it
    :raises AddressTakenError: if another account has the address
    """
    account = cognito.get_or_none(str(user.cognito_user_id))
    if account is None:
        raise AccountNotFoundError
    if account.address != user.address:
        holder = native_account(user.address)
        if holder and holder.username != account.username:
            raise AddressTakenError
    return account


def native_account(address: str) -> Account | None:
    """
    Return the native account that signs in with an address, or None.

    A pool may resolve an address to the single sign-on account. Then search for the native one.
    """
    account = cognito.get_or_none(address)
    return account if account is None or account.is_native else _find_native(address)


def update_account(account: Account, address: str, password: str | None = None) -> None:
    """
    Give an account an address, verified because an admin entered it, and a new password if any.

    :raises WeakPasswordError: if the pool refuses the password
    """
    if account.email != address or not account.is_verified:
        cognito.set_email(account.username, address, is_verified=True)
    if password:
        cognito.set_password(account.username, password)


def sign_out(change: PendingChange) -> None:
    """End every session of a user's accounts."""
    for username in _usernames(change):
        cognito.sign_out(username)


def delete_accounts(change: PendingChange) -> None:
    """Delete a user's accounts."""
    for username in _usernames(change):
        cognito.delete(username)


def write_claims(user: MopedUser, stored: StoredItem, *, always: bool = False) -> bool:
    """Make a claims item match the row. Return whether it differed."""
    differs = True
    with suppress(UnreadableItemError):
        differs = not stored.is_written_as(user.claims)
    if differs or always:
        claims_items.put(email=user.address, claims=user.claims, expected=stored)
    return differs


def decode_or_none(stored: StoredItem) -> HasuraClaims | None:
    """Return the claims of an item. None if it is missing or cannot be decrypted."""
    try:
        return stored.claims
    except UnreadableItemError:
        return None


def sync_from_database(address: str, *, rewrite: bool = False) -> bool:
    """
    Make the account and the item of an address match the database. Return whether they differed.

    It creates no account, since only an admin can give the password. It writes claims without an account
    too, because the single sign-on uses them.

    :param rewrite: also write an item that already matches
    """
    user = MopedUser.objects.with_address(address)
    stored = claims_items.get(address)
    if user is None or not user.may_sign_in:
        claims_items.delete(address)
        return bool(stored.attributes)
    account = cognito.get_or_none(str(user.cognito_user_id))
    has_other_email = account is not None and account.email != user.address
    if account and has_other_email:  # no admin confirms the address here
        cognito.set_email(account.username, user.address, is_verified=account.is_verified)
    return write_claims(user, stored, always=rewrite) or has_other_email


def _find_native(email: str) -> Account | None:
    # Cognito's list is eventually consistent and may contain deleted accounts.
    accounts = (cognito.get_or_none(listed.username) for listed in cognito.find(email) if listed.is_native)
    return next(filter(None, accounts), None)


def _usernames(change: PendingChange) -> list[str]:
    """Return the names that a user's native and single sign-on accounts have, if they exist."""
    names = [str(change.cognito_user_id)]
    if is_city_address(change.email):
        names.append(sso_username(change.email))
    return names
