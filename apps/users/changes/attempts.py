"""
One attempt to change an account in all three stores (ADR 0006).

`begin` writes a row before any store is touched. `carry_out` locks the addresses in a transaction, and its
commit decides. `end` finishes a committed change and rolls any other back: at once, at the next attempt, or
in `reconcile_users`.

The lock belongs to a transaction: it ends with its holder and needs no session that a proxy could take away.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import Error, OperationalError, connection, transaction
from django.db.models import Q

from apps.auth import current_roles
from apps.claims.hasura import UNKNOWN_ID
from apps.claims.identity import normalize
from apps.core.context import current
from apps.core.errors import InvalidError, MopedError
from apps.users.changes import stores
from apps.users.errors import BusyError
from apps.users.models import PASSWORD_CHANGE, Event, MopedUser, PendingChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from apps.auth.callers import CognitoUser

logger = logging.getLogger(__name__)

# PostgreSQL's code, rather than psycopg's class: importing that costs every cold start 80 ms.
LOCK_NOT_AVAILABLE = "55P03"


@dataclass
class Attempt:
    """What this process did about one pending change."""

    change: PendingChange
    touched: bool = False
    """Whether the pool or the claims table may have changed."""

    def record(self, user: MopedUser, before: Mapping[str, Any]) -> None:
        """Append the change to the user's history, unless nothing changed since `before`."""
        changes = {
            name: {"from": before.get(name), "to": value}
            for name, value in user.audited_values().items()
            if before.get(name) != value
        }
        if self.change.sets_password:
            changes |= PASSWORD_CHANGE
        if changes:
            Event.append(self.change.operation, user, changes, self.change.actor, self.change.request_id)


def begin(
    operation: str, *, actor: CognitoUser | None, email: str, password: str = "", **details: Any
) -> PendingChange:
    """
    Write the row of a change, after earlier changes of its addresses were ended.

    A deactivation continues an earlier deactivation instead.

    :raises BusyError: if another change of the same address is under way
    :raises UpstreamError: if a store cannot be reached for an earlier change
    """
    addresses = {email, details.get("new_email") or email}
    for earlier in PendingChange.objects.filter(Q(email__in=addresses) | Q(new_email__in=addresses)):
        if not operation == earlier.operation == PendingChange.DELETE:
            end(earlier)
    return PendingChange.objects.create(
        operation=operation,
        email=email,
        sets_password=bool(password),
        actor=actor_fields(actor),
        request_id=current().request_id,
        **details,
    )


@contextmanager
def carry_out(change: PendingChange, *, touched: bool = False) -> Iterator[Attempt]:
    """
    Run the block in a transaction that locks the addresses and whose commit decides the change; finish it.

    A failure before the commit is rolled back. A deactivation that touched a store is not, so that access
    stays revoked: the next attempt continues it.

    :param touched: whether an earlier attempt at this change may have touched a store
    :raises BusyError: if another transaction holds the lock for too long, or ended the change meanwhile
    :raises UpstreamError: if a store cannot be reached
    """
    attempt = Attempt(change, touched)
    try:
        with transaction.atomic():
            _lock_pending(change)
            yield attempt
            change.decided = True
            change.save(update_fields=["decided"])
    except Exception as error:
        _reset_connection()
        if not _was_committed(change, error):
            _give_up(attempt, error)
            raise
    current_roles.invalidate(*change.addresses)
    if change.has_cleanup:
        end(change)
    else:
        _delete_finished(change)


def end(change: PendingChange, *, password_sent: bool = True) -> None:
    """
    Finish a committed change, or roll any other back, and delete it.

    :param password_sent: whether the pool may have the new password
    :raises BusyError: if another transaction holds the lock for too long
    :raises UpstreamError: if a store cannot be reached; the next attempt continues
    """
    with transaction.atomic():
        lock(change.addresses)
        stored = PendingChange.objects.filter(pk=change.pk).first()
        if stored is None:
            return  # another request ended it, and the addresses may have new owners
        if stored.decided:
            stores.finish(stored)
        else:
            stores.roll_back(stored)
            if stored.sets_password and password_sent:
                _record_uncertain_password(stored)
            logger.info("intention_settled", extra={"change": change.pk, "operation": change.operation})
        _delete_with_repetitions(stored)


def actor_fields(actor: CognitoUser | None) -> dict[str, Any]:
    """Return the caller as events and pending changes store it."""
    if actor is None:
        return {"id": None, "email": "", "sub": ""}
    database_id = actor.claims.database_id
    is_known = database_id.isdecimal() and database_id != UNKNOWN_ID
    return {"id": int(database_id) if is_known else None, "email": normalize(actor.email), "sub": actor.sub}


def lock(names: Iterable[str]) -> None:
    """
    Hold a lock on these names until the transaction ends.

    :raises BusyError: if another transaction holds one of them for too long
    """
    try:
        with connection.cursor() as cursor:
            for name in sorted(set(names)):  # in one order, so that no two transactions wait for each other
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") == LOCK_NOT_AVAILABLE:
            raise BusyError from error
        raise


def _lock_pending(change: PendingChange) -> None:
    lock(change.addresses)
    if not PendingChange.objects.filter(pk=change.pk).exists():
        raise BusyError  # another transaction ended it


def _delete_with_repetitions(change: PendingChange) -> None:
    """Delete a change. A completed deactivation also completes earlier attempts at the same."""
    rows = Q(pk=change.pk)
    if change.decided and change.operation == PendingChange.DELETE:
        rows |= Q(operation=PendingChange.DELETE, cognito_user_id=change.cognito_user_id)
    PendingChange.objects.filter(rows).delete()


def _delete_finished(change: PendingChange) -> None:
    """
    Delete a committed change with nothing left to do, even if the database goes away now.

    The change is a success all the same. What remains is deleted by the next attempt or `reconcile_users`.
    """
    finished = PendingChange.objects.filter(pk=change.pk)
    try:
        finished.delete()
    except Error as error:
        logger.warning("intention_close_failed", extra={"change": change.pk, "cause": repr(error)})
        _reset_connection()
        with suppress(Error):
            finished.delete()


def _record_uncertain_password(change: PendingChange) -> None:
    """Append that a change was given up that may have set a password: the pool cannot be asked."""
    user = MopedUser.objects.filter(email__in=change.addresses).first()
    if user:
        Event.append(f"{change.operation}_given_up", user, PASSWORD_CHANGE, change.actor, change.request_id)


def _was_committed(change: PendingChange, error: Exception) -> bool:
    """Ask the database about a commit whose answer was lost."""
    if not isinstance(error, Error):
        return False
    try:
        return PendingChange.objects.filter(pk=change.pk, decided=True).exists()
    except Error:
        return False


def _reset_connection() -> None:
    """Drop the connection if it failed; the next statement opens another."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()


def _give_up(attempt: Attempt, error: Exception) -> None:
    change = attempt.change
    try:
        if not attempt.touched:
            PendingChange.objects.filter(pk=change.pk).delete()
        elif change.operation != PendingChange.DELETE:
            end(change, password_sent=not isinstance(error, InvalidError))
    except (MopedError, Error) as failure:
        # The next attempt or reconcile_users continues from here.
        logger.warning(
            "intention_left_open",
            extra={"change": change.pk, "operation": change.operation, "cause": repr(failure)},
        )
