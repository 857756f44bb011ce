"""
Compare the three stores, and repair what contradicts the database.

Each store is read once: the pool, the claims table, the rows. 10,000 users take about 15 MiB of memory.
"""

import math
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from django.db import transaction
from django.utils import timezone

from apps.claims import items as claims_items
from apps.claims.identity import normalize
from apps.claims.items import ClaimsChangedError, StoredItem
from apps.core.context import current
from apps.users import services
from apps.users.adapters import cognito
from apps.users.adapters.cognito import Account
from apps.users.changes import attempts, stores
from apps.users.models import Event, MopedUser, PendingChange

Entry = TypeVar("Entry")

REPAIRED = "repaired"
MATCH_THE_DATABASE = "make it what the database says"
# What `repair` does. The database is right.
REPAIRS = {
    "unfinished": "finish it, or undo what there is of it",
    "address_differs": MATCH_THE_DATABASE,
    "claims_differ": MATCH_THE_DATABASE,
    "claims_missing": MATCH_THE_DATABASE,
    "claims_of_nobody": MATCH_THE_DATABASE,
    "account_of_inactive": "take the claims away and remove the account",
}
# What only a person can do.
ADVICE = {
    "account_disabled": "deactivate the user, or enable the account",
    "account_missing": "deactivate and activate the user in the editor, or create the user if never done",
    "address_not_lower_case": "remove the item by hand",
    "address_unverified": "save the user in the editor, which vouches for the address",
    "password_missing": "set a password in the editor",
    "second_account": "remove it by hand",
    "sso_account_unknown": "nothing, or create the user, if this person is to use Moped",
    "stray_account": "create or activate this user, who then gets the account; or remove it by hand",
}


@dataclass
class Finding:
    """A contradiction between stores."""

    code: str
    address: str
    text: str
    is_notice: bool = False
    """Whether it is information for an operator, and not a fault."""
    change: PendingChange | None = None
    """The interrupted change."""
    username: str = ""
    """The account to delete."""
    account_address: str = ""
    """The account's address, which may differ from the user's."""
    outcome: str = "to do"

    def is_about(self, addresses: Collection[str]) -> bool:
        """Return whether it concerns one of these lower-case addresses."""
        own = self.change.addresses if self.change else (normalize(self.address), self.account_address)
        return not set(own).isdisjoint(addresses)

    @property
    def can_be_repaired(self) -> bool:
        """Return whether `repair` applies the remedy."""
        return self.code in REPAIRS

    @property
    def is_repaired(self) -> bool:
        """Return whether `repair` succeeded."""
        return self.outcome == REPAIRED

    @property
    def remedy(self) -> str:
        """Return what ends the contradiction."""
        return REPAIRS.get(self.code) or ADVICE[self.code]

    def repair(self) -> None:
        """
        Apply the remedy, from what the database says now, and append it to the user's history.

        :raises BusyError: if another change of the address is under way
        :raises UpstreamError: if a store cannot be reached
        """
        if self.change:
            services.resume(self.change)
        else:
            self._match_the_database()
        self.outcome = REPAIRED

    def _match_the_database(self) -> None:
        with transaction.atomic():
            attempts.lock([self.address])
            has_changed = stores.sync_from_database(self.address)
            user = MopedUser.objects.with_address(self.address)
            if user and user.is_deleted and self.username:
                cognito.delete(self.username)
                has_changed = True
            if user and has_changed:
                repairs = {"repairs": {"from": None, "to": [self.code]}}
                Event.append("reconcile", user, repairs, attempts.actor_fields(None), current().request_id)


class TimeUpError(Exception):
    """The time was over before all stores were read."""


def interrupted_changes(grace_seconds: float) -> list[Finding]:
    """Return a finding for each pending change that is older than the grace period."""
    begun_before = timezone.now() - timedelta(seconds=grace_seconds)
    changes = PendingChange.objects.filter(created_at__lte=begun_before).order_by("created_at")
    return [_of_change(change) for change in changes]


def disagreements(ends_at: float = math.inf) -> Iterator[Finding]:
    """
    Yield every contradiction between the stores.

    :param ends_at: when to stop, on the monotonic clock
    :raises UnavailableError: if a store cannot be reached
    :raises TimeUpError: if the time is over
    """
    accounts = list(_in_time(cognito.iter_accounts(), ends_at))
    items = list(_in_time(claims_items.scan(), ends_at))
    users = list(MopedUser.objects.order_by("user_id"))
    by_address = {user.address: user for user in users}
    by_account = {str(user.cognito_user_id): user for user in users if user.cognito_user_id}
    for account in accounts:
        yield from _of_account(account, by_account.get(account.username) or by_address.get(account.address))
    for item in items:
        yield from _of_item(item, by_address.get(normalize(item.email)))
    usernames, item_addresses = {account.username for account in accounts}, {item.email for item in items}
    for user in users:
        has_account = str(user.cognito_user_id) in usernames
        yield from _of_user(user, has_account=has_account, has_item=user.address in item_addresses)


def rotate_key(ends_at: float = math.inf) -> int:
    """
    Encrypt every readable item with the newest key, unless it is already; return how many were.

    :param ends_at: when to stop, on the monotonic clock
    :raises UnavailableError: if the table cannot be reached
    :raises TimeUpError: if the time is over; the next call continues with the items that are left
    """
    return sum(map(_rotate, _in_time(claims_items.scan(), ends_at)))


def _rotate(stored: StoredItem) -> bool:
    claims = stores.decode_or_none(stored)
    is_found = stored.email == normalize(stored.email)
    if claims is None or not is_found or claims_items.has_newest_key(stored.cipher):
        return False
    with suppress(ClaimsChangedError):  # the other writer used the newest key, too
        claims_items.put(email=stored.email, claims=claims, instead_of=stored)
        return True
    return False


def _in_time(entries: Iterable[Entry], ends_at: float) -> Iterator[Entry]:
    for entry in entries:
        if time.monotonic() >= ends_at:
            raise TimeUpError
        yield entry


def _of_change(change: PendingChange) -> Finding:
    """Return the finding for an interrupted change."""
    text = f"the change {change.operation!r} of {change.email} was cut off"
    return Finding("unfinished", change.email, text, change=change)


def _of_account(account: Account, user: MopedUser | None) -> Iterator[Finding]:
    """Yield what is wrong with an account; `user` has it, or has its address."""
    if user is None or not user.may_sign_in:
        yield from _of_unused_account(account, user)
    elif account.username == str(user.cognito_user_id):
        yield from _of_own_account(account, user)
    elif not account.is_sso:
        text = f"{user.address} has a second account, {account.username}, which cannot be used to sign in"
        yield Finding("second_account", user.address, text)


def _of_own_account(account: Account, user: MopedUser) -> Iterator[Finding]:
    if account.email != user.address:
        text = f"{user.address} has an account that signs in as {account.email or 'no address'}"
        yield Finding("address_differs", user.address, text, account_address=account.address)
    active = f"{user.address} is active, and the account"
    if not account.is_verified:
        yield Finding("address_unverified", user.address, f"{active}'s address is not verified")
    if not account.is_enabled:
        yield Finding("account_disabled", user.address, f"{active} is disabled")
    elif account.status == cognito.FORCE_CHANGE:
        yield Finding("password_missing", user.address, f"{active} has no permanent password")


def _of_unused_account(account: Account, user: MopedUser | None) -> Iterator[Finding]:
    if user and user.is_deleted:
        text = f"{user.address} is inactive, and has the account {account.username}"
        # Each attempt of the single sign-on creates an account, and the trigger denies it.
        yield Finding(
            "account_of_inactive",
            user.address,
            text,
            is_notice=account.is_sso,
            username=account.username,
            account_address=account.address,
        )
    elif account.is_sso:
        text = f"{account.username} tried the City's single sign-on, and no active user has this address"
        yield Finding("sso_account_unknown", account.address, text, is_notice=True)
    else:
        text = f"the account {account.username} ({account.email}) belongs to no user in the database"
        yield Finding("stray_account", account.address, text)


def _of_item(item: StoredItem, user: MopedUser | None) -> Iterator[Finding]:
    """Yield what is wrong with a claims item; `user` has its address in lower case."""
    if item.email != normalize(item.email):
        text = f"the item {item.email} is not spelt in lower case: no look-up finds it"
        yield Finding("address_not_lower_case", item.email, text)
    elif user is None or not user.may_sign_in:
        text = f"{item.email} has claims, and is not active in the database"
        yield Finding("claims_of_nobody", item.email, text)
    elif stores.decode_or_none(item) != user.claims:
        yield Finding("claims_differ", user.address, f"{user.address} has {_difference(item, user)}")


def _difference(item: StoredItem, user: MopedUser) -> str:
    claims = stores.decode_or_none(item)
    if claims is None:
        return "claims that cannot be read"
    if set(claims.allowed_roles) != set(user.claims.allowed_roles):
        granted, expected = ", ".join(claims.allowed_roles), ", ".join(user.login_roles)
        return f"the roles {granted or 'none'} in the claims, {expected or 'none'} in the database"
    return "claims with other ids than the database"


def _of_user(user: MopedUser, *, has_account: bool, has_item: bool) -> Iterator[Finding]:
    """Yield what an active user lacks."""
    active = f"{user.address} is active with {', '.join(user.login_roles) or 'no role'}, and"
    if user.may_sign_in and not has_account:
        text = f"{active} the account {user.cognito_user_id} is gone"
        yield Finding("account_missing", user.address, text)
    elif user.may_sign_in and not has_item:
        yield Finding("claims_missing", user.address, f"{active} has no claims")
    elif user.cognito_user_id is None and not user.is_deleted and user.login_roles:
        yield Finding("account_missing", user.address, f"{active} there is no account")
