"""
One attempt to change an account in all three stores (ADR 0006).

`begin` writes a row before any store is touched. `Attempt.transaction` holds a lock on the addresses, and its
commit decides. `complete` does what is left and deletes the row. A failure before the commit is rolled back.
What cannot be rolled back at once waits for the next attempt or for `reconcile_users`.

The lock belongs to a transaction: it ends with its holder and needs no session that a proxy could take away.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import Error, OperationalError, connection, transaction
from django.db.models import Q

from apps.claims.hasura import UNKNOWN_ID
from apps.claims.identity import normalize
from apps.core.context import current
from apps.core.errors import MopedError
from apps.users.changes import stores
from apps.users.errors import BusyError
from apps.users.models import PASSWORD_CHANGE, Event, MopedUser, PendingChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from uuid import UUID

    from apps.auth.callers import CognitoUser

logger = logging.getLogger(__name__)

# PostgreSQL's code, rather than psycopg's class: importing that costs every cold start 80 ms.
LOCK_NOT_AVAILABLE = "55P03"


@dataclass
class Attempt:
    """What this process did about one pending change; `change` is its row."""

    change: PendingChange
    password: str = field(default="", repr=False)
    touched: bool = False
    """Whether the pool or the claims table may have changed."""
    password_sent: bool = False
    """Whether the pool may have the new password."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """
        Lock the addresses in a transaction whose commit decides the change.

        :raises BusyError: if another transaction holds the lock for too long, or settled the change meanwhile
        """
        with transaction.atomic():
            lock(self.change.addresses)
            if not PendingChange.objects.filter(pk=self.change.pk).exists():
                raise BusyError
            yield
            self.change.decided = True
            self.change.save(update_fields=["decided"])

    def record(self, user: MopedUser, before: Mapping[str, Any]) -> None:
        """Append the change to the user's history, unless nothing changed since `before`."""
        after = user.audited_values()
        changes = {
            name: {"from": before.get(name), "to": value}
            for name, value in after.items()
            if before.get(name) != value
        }
        if self.password:
            changes |= PASSWORD_CHANGE
        if changes:
            Event.append(self.change.operation, user, changes, self.change.actor, self.change.request_id)


@contextmanager
def begin(
    operation: str, *, actor: CognitoUser | None, email: str, password: str = "", **details: Any
) -> Iterator[Attempt]:
    """
    Write the row of a change; if the change fails before its commit, roll it back.

    A deactivation is not rolled back, so that access stays revoked: the next attempt continues it.

    :raises BusyError: if another change of the same address is under way
    """
    resolve_earlier({email, details.get("new_email") or email}, by=operation)
    change = PendingChange.objects.create(
        operation=operation,
        email=email,
        sets_password=bool(password),
        actor=actor_fields(actor),
        request_id=current().request_id,
        **details,
    )
    attempt = Attempt(change, password)
    try:
        yield attempt
    except Exception as error:
        _reset_connection()
        if not _was_committed(change, error):
            _abandon(attempt)
            raise


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


def delete(change: PendingChange) -> bool:
    """
    Delete a finished change, and earlier ones of the same kind whose response was lost.

    :return: False if another request deleted it and has answered with its result
    """
    finished = Q(pk=change.pk)
    if change.operation in {PendingChange.UPDATE, PendingChange.ACTIVATE}:
        finished |= Q(operation=change.operation, email=change.email, decided=True, new_email="")
    return bool(PendingChange.objects.filter(finished).delete()[0])


def delete_best_effort(change: PendingChange) -> bool:
    """
    Delete a committed change with nothing left to do, even if the database goes away now.

    The change is a success all the same: a caller who is told otherwise repeats it, and is refused.

    :return: as for `delete`
    """
    try:
        return delete(change)
    except Error as error:
        logger.warning("intention_close_failed", extra={"change": change.pk, "cause": repr(error)})
        _reset_connection()
        with suppress(Error):  # reconcile_users deletes what remains
            delete(change)
        return True


def take_committed(operation: str, email: str) -> bool:
    """Delete a committed change whose response was lost; return whether there was one."""
    return bool(PendingChange.objects.filter(operation=operation, email=email, decided=True).delete()[0])


def committed_deactivation(cognito_user_id: UUID) -> PendingChange | None:
    """Return the deactivation of an account that was committed and not finished."""
    return PendingChange.objects.filter(
        operation=PendingChange.DELETE, cognito_user_id=cognito_user_id, decided=True
    ).first()


def complete(change: PendingChange) -> None:
    """
    Do what a committed change left to do; delete it and earlier attempts at the same.

    :raises UpstreamError: if a store cannot be reached; the next attempt continues
    """
    with transaction.atomic():
        lock(change.addresses)
        if not PendingChange.objects.filter(pk=change.pk).exists():
            return  # another request completed it, and the addresses may have new owners
        stores.finish(change)
        delete(change)
        if change.operation == PendingChange.DELETE:
            PendingChange.objects.filter(
                operation=PendingChange.DELETE, cognito_user_id=change.cognito_user_id
            ).delete()


def resolve_earlier(addresses: Iterable[str], *, by: str) -> None:
    """
    Roll back earlier changes of these addresses that were interrupted.

    A deactivation continues an earlier deactivation. A committed change with nothing left to do stays, so
    that a repeated request gets its result.

    :raises UpstreamError: if a store cannot be reached
    """
    names = set(addresses)
    for earlier in PendingChange.objects.filter(Q(email__in=names) | Q(new_email__in=names)):
        is_continued = by == earlier.operation == PendingChange.DELETE
        if not is_continued and not earlier.is_done:
            roll_back(earlier)


def roll_back(change: PendingChange, *, password_sent: bool = True) -> list[str]:
    """
    Make the stores agree with the database on the change's addresses, and delete the change.

    :param password_sent: whether the pool may have the new password
    :return: a sentence for each effect
    :raises UpstreamError: if a store cannot be reached
    """
    with transaction.atomic():
        lock(change.addresses)
        stored = PendingChange.objects.filter(pk=change.pk).first()
        if stored is None or stored.is_done:
            return []  # it was settled, or completed, while this transaction waited for the lock
        done = stores.roll_back(stored)
        if stored.sets_password and password_sent and not stored.decided:
            _record_uncertain_password(stored)
        delete(stored)
    logger.info("intention_settled", extra={"change": change.pk, "operation": change.operation})
    return done


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


def _abandon(attempt: Attempt) -> None:
    change = attempt.change
    try:
        if not attempt.touched:
            delete(change)
        elif change.operation != PendingChange.DELETE:
            roll_back(change, password_sent=attempt.password_sent)
    except (MopedError, Error) as error:
        # The next attempt or reconcile_users continues from here.
        logger.warning(
            "intention_left_open",
            extra={"change": change.pk, "operation": change.operation, "cause": repr(error)},
        )
