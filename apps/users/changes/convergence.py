"""
Makes the pool and the claims table say what the database says.

The database decides who may sign in with which roles; a change counts when it is committed there.
Whatever was done in the other two stores before a commit that never came is led back from here,
and what a commit left to do is done from here.
"""

from __future__ import annotations

from apps.claims import table as claims_table
from apps.claims.identity import is_city_address, sso_username
from apps.users.adapters import cognito
from apps.users.changes import cognito_accounts
from apps.users.models import MopedUser, PendingChange


def roll_back(change: PendingChange) -> list[str]:
    """
    Make the stores agree on every address that an unfinished change touched.

    Of accounts, only those are removed that the change itself made, or had been told to remove.

    :return: what was done, in words
    """
    done = [sentence for address in change.addresses for sentence in sync_from_database(address)]
    if change.decided:
        return done + finish(change)
    done += [sentence for address in change.addresses for sentence in _cancel_late_writes(address)]
    return done + [
        sentence for address in change.addresses for sentence in _delete_created_account(address, change)
    ]


def sync_from_database(address: str) -> list[str]:
    """Make account and item of an address what the database says."""
    user = MopedUser.objects.filter(email=address).first()
    return grant_access(user) if user and user.may_sign_in else revoke_access(address)


def grant_access(user: MopedUser) -> list[str]:
    """Make account and item of an active person what the row says."""
    account = cognito.get_or_none(str(user.cognito_user_id))
    # A new account needs a password, from an admin. The claims count without one: the City's single
    # sign-on asks for them too.
    done = cognito_accounts.restore_email(account, user.address) if account else []
    return done + cognito_accounts.write_claims(user, claims_table.get(user.address))


def revoke_access(address: str) -> list[str]:
    """Take every right from an address."""
    if claims_table.get(address).item is None:
        return []
    claims_table.delete(address)
    return [f"removed the claims of {address}"]


def finish(change: PendingChange) -> list[str]:
    """
    Do what a committed change left to do: whatever lost its owner goes.

    Whoever waited for the lock had it between the commit and now, and may have given the address,
    and with it the account, an owner again: theirs is left alone.
    """
    owner = MopedUser.objects.filter(email=change.email).first()
    if owner and owner.may_sign_in:
        return []
    done: list[str] = []
    if change.operation == PendingChange.DELETE:
        done += [
            sentence
            for name in cognito_accounts.usernames(change)
            for sentence in cognito_accounts.remove(name)
        ]
    elif change.new_email:
        claims_table.delete(change.email)
        if is_city_address(change.email):
            done += cognito_accounts.remove(sso_username(change.email))
    return done


def _cancel_late_writes(address: str) -> list[str]:
    user = MopedUser.objects.filter(email=address).first()
    if user and user.may_sign_in:
        return cognito_accounts.rewrite_claims(user, claims_table.get(address))
    return []


def _delete_created_account(address: str, change: PendingChange) -> list[str]:
    account = cognito_accounts.native_account(address)
    if account is None or account.mark != str(change.pk):
        return []
    adopted = MopedUser.objects.filter(cognito_user_id=account.username).exists()
    return [] if adopted else cognito_accounts.remove(account.username)
