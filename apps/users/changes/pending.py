"""
Changes under way: committed before anything happens, gone when the three stores agree (ADR 0006).

Whoever changes an account holds a lock on its addresses, in a transaction, so that the lock dies
with its holder and needs no session that a proxy could take away.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from django.db import Error, OperationalError, connection, transaction
from django.db.models import Q

from apps.core.context import current
from apps.core.errors import MopedError
from apps.users.changes import audit, convergence
from apps.users.errors import BusyError
from apps.users.models import PendingChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from uuid import UUID

    from apps.auth.callers import CognitoUser

logger = logging.getLogger(__name__)

# PostgreSQL's code, rather than psycopg's class: importing that costs every cold start 80 ms.
LOCK_NOT_AVAILABLE = "55P03"


@contextmanager
def pending_change(
    operation: str, *, actor: CognitoUser | None, email: str, **details: Any
) -> Iterator[PendingChange]:
    """
    Record what is about to be done; if it fails, see to it that nothing was.

    What the database did not commit did not happen: the other two stores are led back to what it
    says. Only a deactivation stays as far as it came, so that whoever is to be cut off stays so.

    :raises BusyError: if another change of the same address is under way
    """
    resolve_earlier({email, details.get("new_email") or email}, by=operation)
    change = PendingChange.objects.create(
        operation=operation,
        email=email,
        actor=audit.actor_fields(actor),
        request_id=current().request_id,
        **details,
    )
    change.touched = change.password_sent = False
    try:
        yield change
    except Exception as error:
        _reset_connection()
        if not _was_committed(change, error):
            _abandon(change)
            raise


def lock_and_reload(change: PendingChange) -> None:
    """
    Keep everybody else away from the change's addresses until the transaction ends.

    :raises BusyError: if somebody else keeps us away for too long, or has settled it meanwhile
    """
    lock(change.addresses)
    if not PendingChange.objects.filter(pk=change.pk).exists():
        raise BusyError


def lock(addresses: Iterable[str]) -> None:
    """
    Wait until nobody else changes what these names stand for.

    :raises BusyError: if that takes too long
    """
    try:
        with connection.cursor() as cursor:
            for address in sorted(set(addresses)):  # in one order, so that no two wait for each other
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [address])
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") == LOCK_NOT_AVAILABLE:
            raise BusyError from error
        raise


def mark_committed(change: PendingChange) -> None:
    """Note, in the transaction that decides, that it was decided."""
    change.decided = True
    change.save(update_fields=["decided"])


def delete(change: PendingChange) -> bool:
    """
    Forget a change, and earlier ones of which only the answer was lost.

    :return: False if somebody else forgot it, whose answer it then is
    """
    own = Q(pk=change.pk)
    if change.operation in {PendingChange.UPDATE, PendingChange.ACTIVATE}:
        own |= Q(operation=change.operation, email=change.email, decided=True, new_email="")
    return bool(PendingChange.objects.filter(own).delete()[0])


def delete_best_effort(change: PendingChange) -> bool:
    """
    Close a change of which nothing is left to do.

    Should the database go away at this very last step, the change is a success all the same:
    whoever was told otherwise would repeat it, and be told that it is done already.
    """
    try:
        return delete(change)
    except Error as error:
        logger.warning("intention_close_failed", extra={"change": change.pk, "cause": repr(error)})
        _reset_connection()
        with suppress(Error):  # what remains, reconcile_users forgets
            delete(change)
        return True


def take_committed(operation: str, email: str) -> bool:
    """Tell whether such a change was decided without its caller being told, and forget it if so."""
    return bool(PendingChange.objects.filter(operation=operation, email=email, decided=True).delete()[0])


def decided_deactivation(cognito_user_id: UUID) -> PendingChange | None:
    """Return the deactivation of an account that was decided and not finished."""
    return PendingChange.objects.filter(
        operation=PendingChange.DELETE, cognito_user_id=cognito_user_id, decided=True
    ).first()


def complete(change: PendingChange) -> None:
    """
    Do what a decision left to do, and forget the change and earlier attempts at the same.

    :raises UpstreamError: if a store cannot be reached; the next try goes on from here
    """
    with transaction.atomic():
        lock(change.addresses)
        if not PendingChange.objects.filter(pk=change.pk).exists():
            return  # somebody else did, and the addresses may be other people's by now
        convergence.finish(change)
        delete(change)
        if change.operation == PendingChange.DELETE:
            PendingChange.objects.filter(
                operation=PendingChange.DELETE, cognito_user_id=change.cognito_user_id
            ).delete()


def resolve_earlier(addresses: Iterable[str], *, by: str) -> None:
    """
    Lead back what earlier changes of these addresses left half-way.

    A deactivation is not led back by another: it is carried on. What is decided and has nothing
    left to do waits for whoever asks again, to be answered.

    :raises UpstreamError: if a store cannot be led back
    """
    names = set(addresses)
    leftovers = PendingChange.objects.filter(Q(email__in=names) | Q(new_email__in=names))
    for leftover in leftovers:
        carried_on = by == leftover.operation == PendingChange.DELETE
        if not carried_on and not leftover.is_done:
            roll_back(leftover)


def roll_back(change: PendingChange) -> list[str]:
    """
    Make the stores agree on the change's addresses, and forget it.

    :return: what was done, in words
    :raises UpstreamError: if a store cannot be reached
    """
    with transaction.atomic():
        lock(change.addresses)
        found = PendingChange.objects.filter(pk=change.pk).first()
        if found is None:
            return []  # whoever had the lock before us settled it
        change.decided = found.decided
        if change.is_done:
            return []  # it was alive, and has come to its end
        done = convergence.roll_back(change)
        if change.sets_password and change.password_sent and not change.decided:
            audit.record_uncertain_password(change)
        delete(change)
    logger.info("intention_settled", extra={"change": change.pk, "operation": change.operation})
    return done


def _was_committed(change: PendingChange, error: Exception) -> bool:
    """Ask the database about a commit whose answer was lost."""
    if not isinstance(error, Error):
        return False
    try:
        return PendingChange.objects.filter(pk=change.pk, decided=True).exists()
    except Error:
        return False


def _reset_connection() -> None:
    """Drop the connection if it is what failed; the next statement opens another."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()


def _abandon(change: PendingChange) -> None:
    try:
        if not change.touched:
            delete(change)
        elif change.operation != PendingChange.DELETE:
            roll_back(change)
    except (MopedError, Error) as error:
        # The next try or reconcile_users goes on from here.
        logger.warning(
            "intention_left_open",
            extra={"change": change.pk, "operation": change.operation, "cause": repr(error)},
        )
