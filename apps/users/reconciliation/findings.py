"""The findings of a comparison: the code, the text, the remedy and the repair of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from django.db import transaction

from apps.core.context import current
from apps.users import services
from apps.users.adapters import cognito
from apps.users.changes import attempts, stores
from apps.users.models import Event, MopedUser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from apps.claims.table import StoredItem
    from apps.users.adapters.cognito import Account
    from apps.users.models import PendingChange


@dataclass(frozen=True)
class Finding:
    """
    A contradiction between stores, and its remedy.

    `repair` applies the remedy, from what the database says at that time. It is None if only a person can.
    """

    code: str
    address: str
    text: str
    remedy: str
    repair: Callable[[], list[str]] | None = field(default=None, compare=False, repr=False)
    is_notice: bool = False
    """Whether it is information for an operator, and not a fault."""


def unfinished(change: PendingChange) -> Finding:
    """Return the finding for an interrupted change."""
    return Finding(
        "unfinished",
        change.email,
        f"the change {change.operation!r} of {change.email} was cut off",
        "finish it, or undo what there is of it",
        partial(services.resume, change),
    )


# ---- one account -----------------------------------------------------------------------------------


def of_account(account: Account, user: MopedUser) -> Iterator[Finding]:
    """Yield the faults of an active user's account."""
    if account.email != user.address:
        text = f"has an account that signs in as {account.email or 'no address'}"
        yield repairable("address_differs", user.address, text)
    if not account.is_verified:
        yield Finding(
            "address_unverified",
            user.address,
            f"{user.address} is active, and the account's address is not verified",
            "save the user in the editor, which vouches for the address",
        )
    if not account.is_enabled:
        yield Finding(
            "account_disabled",
            user.address,
            f"{user.address} is active, and the account is disabled",
            "deactivate the user, or enable the account",
        )
    elif account.status == cognito.FORCE_CHANGE:
        yield Finding(
            "password_missing",
            user.address,
            f"{user.address} is active, and the account has no permanent password",
            "set a password in the editor",
        )


def unowned_account(account: Account, user: MopedUser | None) -> Iterator[Finding]:
    """Yield the finding for an account that no active user has."""
    if user and user.is_deleted:
        yield Finding(
            "account_of_inactive",
            user.address,
            f"{user.address} is inactive, and has the account {account.username}",
            "take the claims away and remove the account",
            partial(_repaired, user.address, partial(_remove, account.username)),
            is_notice=account.is_sso,  # each try of the single sign-on makes one, and the trigger denies it
        )
    elif user and user.may_sign_in and not account.is_sso:
        yield Finding(
            "second_account",
            user.address,
            f"{user.address} has a second account, {account.username}, which cannot be used to sign in",
            "remove it by hand",
        )
    elif account.is_sso and not (user and user.may_sign_in):
        yield Finding(
            "sso_account_unknown",
            account.address,
            f"{account.username} tried the City's single sign-on, and no active user has this address",
            "nothing, or create the user, if this person is to use Moped",
            is_notice=True,
        )
    elif not account.is_sso:
        text = f"the account {account.username} ({account.email}) belongs to no user in the database"
        remedy = "create or activate this user, who then gets the account; or remove it by hand"
        yield Finding("stray_account", account.address, text, remedy)


def _remove(username: str, address: str) -> list[str]:
    user = MopedUser.objects.with_address(address)
    if user is None or not user.is_deleted:
        return []
    return stores.revoke_access(address) + stores.delete_account(username)


# ---- one address -----------------------------------------------------------------------------------


def repairable(code: str, address: str, text: str) -> Finding:
    """Return a finding whose repair makes the address what the database says."""
    repair = partial(_repaired, address, stores.sync_from_database)
    return Finding(code, address, f"{address} {text}", "make it what the database says", repair)


def _repaired(address: str, repair: Callable[[str], list[str]]) -> list[str]:
    """Repair with the lock on the address, and append what was done to the user's history."""
    with transaction.atomic():
        attempts.lock([address])
        done = repair(address)
        user = MopedUser.objects.with_address(address)
        if user and done:
            repairs = {"repairs": {"from": None, "to": done}}
            Event.append("reconcile", user, repairs, attempts.actor_fields(None), current().request_id)
    return done


def wrong_case(item: StoredItem) -> Finding:
    """Return the finding for an item whose key is not in lower case: readers do not find it."""
    return Finding(
        "address_not_lower_case",
        item.email,
        f"the item {item.email} is not spelt in lower case: no look-up finds it",
        "remove the item by hand",
    )


def without_account(user: MopedUser) -> Finding:
    """Return the finding for an active user without an account; a new one needs a password from an admin."""
    if user.cognito_user_id:
        why, remedy = f"the account {user.cognito_user_id} is gone", "deactivate the user, and activate them"
    else:
        why, remedy = "there is no account", "create the user, whose row is kept"
    text = f"{user.address} is active with {', '.join(user.login_roles) or 'no role'}, and {why}"
    return Finding("account_missing", user.address, text, f"{remedy}, in the editor")


def difference(item: StoredItem, user: MopedUser) -> str:
    """Return how an item differs from the row."""
    claims = stores.decode_or_none(item)
    if claims is None:
        return "has claims that cannot be read"
    if set(claims.allowed_roles) != set(user.claims.allowed_roles):
        granted, meant = ", ".join(claims.allowed_roles), ", ".join(user.login_roles)
        return f"has the roles {granted or 'none'} in the claims, {meant or 'none'} in the database"
    return "has claims with other ids than the database"
