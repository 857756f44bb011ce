"""
Compare the three stores.

Each store is read once: the pool, the claims table, the rows. 10,000 users take about 15 MiB of memory.
"""

from __future__ import annotations

import math
import time
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from django.utils import timezone

from apps.claims import items as claims_items
from apps.claims import table as claims_table
from apps.claims.errors import ClaimsChangedError
from apps.claims.identity import normalize
from apps.users.adapters import cognito
from apps.users.changes import stores
from apps.users.models import MopedUser, PendingChange
from apps.users.reconciliation.findings import of_account, of_change, of_item, of_user

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from apps.claims.table import StoredItem
    from apps.users.reconciliation.findings import Finding

Entry = TypeVar("Entry")


class TimeUpError(Exception):
    """The time was over before all stores were read."""


def interrupted_changes(grace_seconds: float) -> list[Finding]:
    """Return a finding for each pending change that is older than the grace period."""
    begun_before = timezone.now() - timedelta(seconds=grace_seconds)
    changes = PendingChange.objects.filter(created_at__lte=begun_before).order_by("created_at")
    return [of_change(change) for change in changes]


def disagreements(ends_at: float = math.inf) -> Iterator[Finding]:
    """
    Yield every contradiction between the stores.

    :param ends_at: when to stop, on the monotonic clock
    :raises UnavailableError: if a store cannot be reached
    :raises TimeUpError: if the time is over
    """
    accounts = list(_in_time(cognito.iter_accounts(), ends_at))
    items = list(_in_time(claims_table.scan(), ends_at))
    users = list(MopedUser.objects.order_by("user_id"))
    by_address = {user.address: user for user in users}
    by_account = {str(user.cognito_user_id): user for user in users if user.cognito_user_id}
    for account in accounts:
        yield from of_account(account, by_account.get(account.username) or by_address.get(account.address))
    for item in items:
        yield from of_item(item, by_address.get(normalize(item.email)))
    usernames, item_addresses = {account.username for account in accounts}, {item.email for item in items}
    for user in users:
        has_account = str(user.cognito_user_id) in usernames
        yield from of_user(user, has_account=has_account, has_item=user.address in item_addresses)


def rotate_key(ends_at: float = math.inf) -> int:
    """
    Encrypt every readable item with the newest key, unless it is already; return how many were.

    :param ends_at: when to stop, on the monotonic clock
    :raises UnavailableError: if the table cannot be reached
    :raises TimeUpError: if the time is over; the next call continues with the items that are left
    """
    return sum(map(_rotate, _in_time(claims_table.scan(), ends_at)))


def _rotate(stored: StoredItem) -> bool:
    claims = stores.decode_or_none(stored)
    is_found = stored.email == normalize(stored.email)
    if claims is None or not is_found or claims_items.has_newest_key(stored.cipher):
        return False
    with suppress(ClaimsChangedError):  # the other writer used the newest key, too
        claims_table.put(email=stored.email, claims=claims, instead_of=stored)
        return True
    return False


def _in_time(entries: Iterable[Entry], ends_at: float) -> Iterator[Entry]:
    for entry in entries:
        if time.monotonic() >= ends_at:
            raise TimeUpError
        yield entry
