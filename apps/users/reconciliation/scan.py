"""
Compare the three stores.

Each store is read once, a page at a time: the pool, the claims table, the rows. Between the passes two sets
of ids are kept, about a hundred bytes for each user. The database is right: a repair makes the other two
agree.
"""

from __future__ import annotations

import math
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from apps.claims import items as claims_items
from apps.claims import table as claims_table
from apps.claims.errors import ClaimsChangedError
from apps.claims.identity import normalize
from apps.users.adapters import cognito
from apps.users.changes import stores
from apps.users.models import MopedUser, PendingChange
from apps.users.reconciliation.findings import (
    Finding,
    difference,
    of_account,
    repairable,
    unfinished,
    unowned_account,
    without_account,
    wrong_case,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from apps.claims.table import StoredItem
    from apps.users.adapters.cognito import Account

PAGE = 200
# How long a retry can still receive the result of its first attempt.
REMEMBERED = timedelta(days=1)

Thing = TypeVar("Thing")


class TimeUpError(Exception):
    """The time was over before all stores were read."""


@dataclass
class Scan:
    """
    One comparison of the three stores.

    :param only: the addresses to compare; none for all
    :param grace_seconds: a change that began later may still be under way
    :param ends_at: when to stop, on the monotonic clock
    """

    only: tuple[str, ...] = ()
    grace_seconds: float = 60
    ends_at: float = math.inf
    _with_account: set[int] = field(default_factory=set)
    _with_item: set[int] = field(default_factory=set)

    def disagreements(self) -> Iterator[Finding]:
        """
        Yield every contradiction.

        :raises UnavailableError: if a store cannot be reached
        :raises TimeUpError: if the time is over; what was yielded before is true all the same
        """
        yield from self._unfinished()
        for page in _in_time(_pages(self._accounts()), self.ends_at):
            yield from self._in_pool(page)
        for items in _in_time(_pages(self._items()), self.ends_at):
            yield from self._in_table(items)
        for users in _in_time(_people(self.only), self.ends_at):
            yield from self._in_database(users)

    def _unfinished(self) -> Iterator[Finding]:
        begun_before = timezone.now() - timedelta(seconds=self.grace_seconds)
        begun = PendingChange.objects.filter(created_at__lte=begun_before).order_by("created_at")
        if self.only:
            begun = begun.filter(Q(email__in=self.only) | Q(new_email__in=self.only))
        for change in begun:
            if change.is_done and change.created_at > timezone.now() - REMEMBERED:
                continue  # only the response to a retry is left
            yield unfinished(change)

    def _accounts(self) -> Iterator[Account]:
        if not self.only:
            return cognito.iter_accounts()
        return (account for address in self.only for account in _accounts_of(address))

    def _items(self) -> Iterator[StoredItem]:
        if not self.only:
            return claims_table.scan()
        return (item for item in map(claims_table.get, self.only) if item.item)

    def _in_pool(self, page: list[Account]) -> Iterator[Finding]:
        rows = _Rows.of(page)
        for account in page:
            user = rows.of_account(account)
            if user and user.may_sign_in and str(user.cognito_user_id) == account.username:
                self._with_account.add(user.pk)
                yield from of_account(account, user)
            else:
                yield from unowned_account(account, user)

    def _in_table(self, items: list[StoredItem]) -> Iterator[Finding]:
        rows = _by_address(item.email for item in items)
        for item in items:
            user = rows.get(normalize(item.email))
            if item.email != normalize(item.email):
                yield wrong_case(item)
            elif user and user.may_sign_in:
                self._with_item.add(user.pk)
                if stores.decode_or_none(item) != user.claims:
                    yield repairable("claims_differ", user.address, difference(item, user))
            else:
                text = "has claims, and is not active in the database"
                yield repairable("claims_of_nobody", item.email, text)

    def _in_database(self, rows: list[MopedUser]) -> Iterator[Finding]:
        for user in rows:
            if user.may_sign_in and user.pk not in self._with_account:
                yield without_account(user)
            elif user.may_sign_in and user.pk not in self._with_item:
                yield repairable("claims_missing", user.address, "is active, and has no claims")
            elif user.cognito_user_id is None and not user.is_deleted and user.login_roles:
                yield without_account(user)


def rotate_key(ends_at: float = math.inf) -> int:
    """
    Encrypt every readable item with the newest key, unless it is already; return how many were.

    :param ends_at: when to stop, on the monotonic clock
    :raises UnavailableError: if the table cannot be reached
    :raises TimeUpError: if the time is over; the next call continues with the items that are left
    """
    rotated = 0
    for items in _in_time(_pages(claims_table.scan()), ends_at):
        rotated += sum(map(_rotate, items))
    return rotated


def _rotate(stored: StoredItem) -> bool:
    claims = stores.decode_or_none(stored)
    if (
        claims is None
        or stored.email != normalize(stored.email)
        or claims_items.has_newest_key(stored.cipher)
    ):
        return False
    with suppress(ClaimsChangedError):  # the other writer used the newest key, too
        claims_table.put(email=stored.email, claims=claims, instead_of=stored)
        return True
    return False


@dataclass(frozen=True)
class _Rows:
    """The rows that a page of accounts may belong to."""

    by_account: dict[str, MopedUser]
    by_address: dict[str, MopedUser]

    @classmethod
    def of(cls, page: list[Account]) -> _Rows:
        ids = [account.username for account in page if not account.is_sso and _is_id(account.username)]
        addresses = [account.address for account in page]
        found = list(MopedUser.objects.filter(Q(cognito_user_id__in=ids) | Q(email__in=addresses)))
        return cls(
            {str(user.cognito_user_id): user for user in found if user.cognito_user_id},
            {user.address: user for user in found},
        )

    def of_account(self, account: Account) -> MopedUser | None:
        return self.by_account.get(account.username) or self.by_address.get(account.address)


def _accounts_of(address: str) -> Iterable[Account]:
    """Return every account with an address, and the one that its row names, whatever address that has."""
    found = {account.username: account for account in cognito.find(address)}
    user = MopedUser.objects.with_address(address)
    named = cognito.get_or_none(str(user.cognito_user_id)) if user and user.cognito_user_id else None
    if named:
        found[named.username] = named
    return found.values()


def _is_id(username: str) -> bool:
    try:
        return bool(UUID(username))
    except ValueError:
        return False


def _by_address(addresses: Iterable[str]) -> dict[str, MopedUser]:
    return {user.address: user for user in MopedUser.objects.filter(email__in=list(addresses))}


def _people(only: tuple[str, ...]) -> Iterator[list[MopedUser]]:
    last, ordered = 0, MopedUser.objects.order_by("user_id")
    if only:
        ordered = ordered.filter(email__in=only)
    while page := list(ordered.filter(user_id__gt=last)[:PAGE]):
        yield page
        last = page[-1].pk


def _in_time(pages: Iterable[Thing], ends_at: float) -> Iterator[Thing]:
    for page in pages:
        if time.monotonic() >= ends_at:
            raise TimeUpError
        yield page


def _pages(things: Iterable[Thing]) -> Iterator[list[Thing]]:
    left = iter(things)
    while page := list(islice(left, PAGE)):
        yield page
