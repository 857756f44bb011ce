"""
Compare the three stores, and repair differences from the database.

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
from apps.claims.hasura import HasuraClaims
from apps.claims.identity import normalize
from apps.claims.items import ClaimsChangedError, StoredItem
from apps.core.context import current
from apps.core.errors import MopedError
from apps.users import services
from apps.users.adapters import cognito
from apps.users.adapters.cognito import Account
from apps.users.changes import stores, transactions
from apps.users.models import Event, MopedUser, PendingChange

Entry = TypeVar("Entry")

REPAIRED = "repaired"
MATCH_THE_DATABASE = "make it what the database says"
# By code: the problem of the address, and the repair. The database is right.
REPAIRS = {
    "unfinished": ("is in a change that was cut off", "finish it, or undo what there is of it"),
    "address_differs": ("has an account with another address", MATCH_THE_DATABASE),
    "claims_differ": ("has other claims than in the database", MATCH_THE_DATABASE),
    "claims_missing": ("is active, and has no claims", MATCH_THE_DATABASE),
    "claims_of_nobody": ("has claims, and is not active in the database", MATCH_THE_DATABASE),
    "account_of_inactive": ("is inactive, and has an account", "take the claims away and remove the account"),
}
# By code: the problem of the address, and the advice. Only a person can repair these.
ADVICE = {
    "account_disabled": ("is active, with a disabled account", "deactivate the user, or enable the account"),
    "account_missing": ("is active, without an account", "deactivate and activate, or create, the user"),
    "address_not_lower_case": ("has an item that no look-up finds", "remove the item by hand"),
    "address_unverified": ("is active, with an unverified address", "save the user in the editor"),
    "password_missing": ("is active, without a permanent password", "set a password in the editor"),
    "second_account": ("has a second account, which cannot sign in", "remove it by hand"),
    "sso_account_unknown": ("is no user, and tried the single sign-on", "nothing, or create the user"),
    "stray_account": (
        "is no user, and has an account",
        "create the user, who then gets it; or remove it by hand",
    ),
}
MEANINGS = REPAIRS | ADVICE


@dataclass
class Finding:
    """A contradiction between stores."""

    code: str
    address: str
    detail: str = ""
    is_notice: bool = False
    """Whether it only informs the operator. A notice is not a fault."""
    change: PendingChange | None = None
    """The interrupted change."""
    account: Account | None = None
    """The user's account, which may have another address."""
    outcome: str = "to do"

    def is_about(self, addresses: Collection[str]) -> bool:
        """Return whether it concerns one of these addresses, given in lower case."""
        own = self.change.addresses if self.change else (normalize(self.address),)
        return not {*own, self.account and self.account.address}.isdisjoint(addresses)

    @property
    def safe_to_repair(self) -> bool:
        """Whether `repair` can apply the remedy."""
        return self.code in REPAIRS

    @property
    def repaired(self) -> bool:
        """Whether `repair` succeeded."""
        return self.outcome == REPAIRED

    @property
    def text(self) -> str:
        """Return the address with its problem."""
        detail = f" ({self.detail})" if self.detail else ""
        return f"{self.address} {MEANINGS[self.code][0]}{detail}"

    @property
    def remedy(self) -> str:
        """Return the repair or the advice."""
        return MEANINGS[self.code][1]

    def repair(self) -> None:
        """Apply the remedy from the current row, and append it to the user's history."""
        try:
            if self.change:
                services.resume(self.change)
            else:
                self._match_the_database()
        except MopedError as error:
            self.outcome = f"not repaired ({error})"
        else:
            self.outcome = REPAIRED

    def _match_the_database(self) -> None:
        with transaction.atomic():
            transactions.lock([self.address])
            has_changed = stores.sync_from_database(self.address)
            user = MopedUser.objects.with_address(self.address)
            # An active user may own the account now.
            if user and user.is_deleted and self.account and self.code == "account_of_inactive":
                cognito.delete(self.account.username)
                has_changed = True
            if user and has_changed:
                repairs = {"repairs": {"from": None, "to": [self.code]}}
                operator = transactions.actor_fields(None)
                Event.append("reconcile", user, repairs, operator, current().request_id)


class TimeUpError(Exception):
    """The time was over before all stores were read."""


def interrupted_changes(grace_seconds: float) -> list[Finding]:
    """Return a finding for each pending change older than the grace period."""
    begun_before = timezone.now() - timedelta(seconds=grace_seconds)
    changes = PendingChange.objects.filter(created_at__lte=begun_before).order_by("created_at")
    return [Finding("unfinished", change.email, change.operation, change=change) for change in changes]


def disagreements(ends_at: float = math.inf) -> Iterator[Finding]:
    """
    Yield every contradiction between the stores.

    :param ends_at: when to stop, on the monotonic clock
    :raises UnavailableError: if a store cannot be reached
    :raises TimeUpError: if the time is over
    """
    accounts = list(_read_until(cognito.iter_accounts(), ends_at))
    items = list(_read_until(claims_items.scan(), ends_at))
    users = list(MopedUser.objects.order_by("user_id"))
    by_address = {user.address: user for user in users}
    owners = {str(user.cognito_user_id): user for user in users if user.cognito_user_id}
    for account in accounts:
        yield from _check_account(account, owners.get(account.username) or by_address.get(account.address))
    for item in items:
        yield from _check_item(item, by_address.get(normalize(item.email)))
    usernames, item_addresses = {account.username for account in accounts}, {item.email for item in items}
    for user in users:
        has_account = str(user.cognito_user_id) in usernames
        yield from _check_user(user, has_account=has_account, has_item=user.address in item_addresses)


def rotate_key(ends_at: float = math.inf) -> int:
    """
    Encrypt every readable item of an older key with the newest key, and return their number.

    :param ends_at: when to stop, on the monotonic clock
    :raises UnavailableError: if the table cannot be reached
    :raises TimeUpError: if the time is over. The next call continues with the remaining items
    """
    return sum(map(_rotate, _read_until(claims_items.scan(), ends_at)))


def _rotate(stored: StoredItem) -> bool:
    claims = stores.decode_or_none(stored)
    is_lower_case = stored.email == normalize(stored.email)
    if claims is None or not is_lower_case or claims_items.has_newest_key(stored.ciphertext):
        return False
    with suppress(ClaimsChangedError):  # the concurrent write used the newest key too
        claims_items.put(email=stored.email, claims=claims, expected=stored)
        return True
    return False


def _read_until(entries: Iterable[Entry], ends_at: float) -> Iterator[Entry]:
    for entry in entries:
        if time.monotonic() >= ends_at:
            raise TimeUpError
        yield entry


def _check_account(account: Account, user: MopedUser | None) -> Iterator[Finding]:
    """Yield the findings about an account. `user` owns it or has its address."""
    if user is None or not user.may_sign_in:
        yield _unused_account(account, user)
    elif account.username == str(user.cognito_user_id):
        yield from _check_own_account(account, user)
    elif not account.is_sso:
        yield Finding("second_account", user.address, account.username)


def _check_own_account(account: Account, user: MopedUser) -> Iterator[Finding]:
    if account.email != user.address:
        yield Finding("address_differs", user.address, account.email or "no address", account=account)
    if not account.is_verified:
        yield Finding("address_unverified", user.address)
    if not account.is_enabled:
        yield Finding("account_disabled", user.address)
    elif account.status == cognito.FORCE_CHANGE:
        yield Finding("password_missing", user.address)


def _unused_account(account: Account, user: MopedUser | None) -> Finding:
    # Cognito creates this account at the first single sign-on, before the trigger denies the token.
    is_notice = account.is_sso
    if user and user.is_deleted:
        return Finding("account_of_inactive", user.address, account.username, is_notice, account=account)
    code = "sso_account_unknown" if account.is_sso else "stray_account"
    return Finding(code, account.address, account.username, is_notice)


def _check_item(item: StoredItem, user: MopedUser | None) -> Iterator[Finding]:
    """Yield the findings about a claims item. `user` has its address in lower case."""
    if item.email != normalize(item.email):
        yield Finding("address_not_lower_case", item.email)
    elif user is None or not user.may_sign_in:
        yield Finding("claims_of_nobody", item.email)
    elif (claims := stores.decode_or_none(item)) != user.claims:
        yield Finding("claims_differ", user.address, _difference(claims, user))


def _difference(claims: HasuraClaims | None, user: MopedUser) -> str:
    if claims is None:
        return "claims that cannot be read"
    if set(claims.allowed_roles) != set(user.claims.allowed_roles):
        roles, expected = ", ".join(claims.allowed_roles), ", ".join(user.login_roles)
        return f"the roles {roles or 'none'} in the claims, {expected or 'none'} in the database"
    return "claims with other ids than the database"


def _check_user(user: MopedUser, *, has_account: bool, has_item: bool) -> Iterator[Finding]:
    """Yield a finding if an active user has no account or no claims item."""
    if user.may_sign_in and not has_account:
        yield Finding("account_missing", user.address, f"{user.cognito_user_id} is gone")
    elif user.may_sign_in and not has_item:
        yield Finding("claims_missing", user.address)
    elif user.cognito_user_id is None and not user.is_deleted and user.login_roles:
        yield Finding("account_missing", user.address)
