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
from apps.users.models import Intention, MopedUser


def restore(intention: Intention) -> list[str]:
    """
    Make the stores agree on every address that an unfinished change touched.

    Of accounts, only those are removed that the change itself made, or had been told to remove.

    :return: what was done, in words
    """
    done = [sentence for address in intention.addresses for sentence in agree(address)]
    if intention.decided:
        return done + finish(intention)
    done += [sentence for address in intention.addresses for sentence in _cancel_late_writes(address)]
    return done + [sentence for address in intention.addresses for sentence in _withdraw(address, intention)]


def agree(address: str) -> list[str]:
    """Make account and item of an address what the database says."""
    user = MopedUser.objects.filter(email=address).first()
    return let_in(user) if user and user.may_sign_in else cut_off(address)


def let_in(user: MopedUser) -> list[str]:
    """Make account and item of an active person what the row says."""
    account = cognito.look_up(str(user.cognito_user_id))
    # A new account needs a password, from an admin. The claims count without one: the City's single
    # sign-on asks for them too.
    done = cognito_accounts.return_to_address(account, user.address) if account else []
    return done + cognito_accounts.correct_claims(user, claims_table.get(user.address))


def cut_off(address: str) -> list[str]:
    """Take every right from an address."""
    if claims_table.get(address).item is None:
        return []
    claims_table.delete(address)
    return [f"removed the claims of {address}"]


def finish(intention: Intention) -> list[str]:
    """
    Do what a committed change left to do: whatever lost its owner goes.

    Whoever waited for the lock had it between the commit and now, and may have given the address,
    and with it the account, an owner again: theirs is left alone.
    """
    owner = MopedUser.objects.filter(email=intention.email).first()
    if owner and owner.may_sign_in:
        return []
    done: list[str] = []
    if intention.operation == Intention.DELETE:
        done += [
            sentence
            for name in cognito_accounts.all_of(intention)
            for sentence in cognito_accounts.remove(name)
        ]
    elif intention.new_email:
        claims_table.delete(intention.email)
        if is_city_address(intention.email):
            done += cognito_accounts.remove(sso_username(intention.email))
    return done


def _cancel_late_writes(address: str) -> list[str]:
    user = MopedUser.objects.filter(email=address).first()
    if user and user.may_sign_in:
        return cognito_accounts.rewrite_claims(user, claims_table.get(address))
    return []


def _withdraw(address: str, intention: Intention) -> list[str]:
    account = cognito_accounts.native_account(address)
    if account is None or account.mark != str(intention.pk):
        return []
    adopted = MopedUser.objects.filter(cognito_user_id=account.username).exists()
    return [] if adopted else cognito_accounts.remove(account.username)
