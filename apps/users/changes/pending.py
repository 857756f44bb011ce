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
from apps.users.models import Intention

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from uuid import UUID

    from apps.auth.callers import CognitoUser

logger = logging.getLogger(__name__)

# PostgreSQL's code, rather than psycopg's class: importing that costs every cold start 80 ms.
LOCK_NOT_AVAILABLE = "55P03"


@contextmanager
def undertaken(operation: str, *, actor: CognitoUser, email: str, **details: Any) -> Iterator[Intention]:
    """
    Record what is about to be done; if it fails, see to it that nothing was.

    What the database did not commit did not happen: the other two stores are led back to what it
    says. Only a deactivation stays as far as it came, so that whoever is to be cut off stays so.

    :raises BusyError: if another change of the same address is under way
    """
    settle_leftovers({email, details.get("new_email") or email}, by=operation)
    intention = Intention.objects.create(
        operation=operation,
        email=email,
        actor=audit.named(actor),
        request_id=current().request_id,
        **details,
    )
    intention.touched = intention.password_sent = False
    try:
        yield intention
    except Exception as error:
        _renew_connection()
        if not _happened_after_all(intention, error):
            _give_up(intention)
            raise


def hold(intention: Intention) -> None:
    """
    Keep everybody else away from the intention's addresses until the transaction ends.

    :raises BusyError: if somebody else keeps us away for too long, or has settled it meanwhile
    """
    lock(intention.addresses)
    if not Intention.objects.filter(pk=intention.pk).exists():
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


def decide(intention: Intention) -> None:
    """Note, in the transaction that decides, that it was decided."""
    intention.decided = True
    intention.save(update_fields=["decided"])


def close(intention: Intention) -> bool:
    """
    Forget an intention, and earlier ones of which only the answer was lost.

    :return: False if somebody else forgot it, whose answer it then is
    """
    own = Q(pk=intention.pk)
    if intention.operation in {Intention.UPDATE, Intention.ACTIVATE}:
        own |= Q(operation=intention.operation, email=intention.email, decided=True, new_email="")
    return bool(Intention.objects.filter(own).delete()[0])


def closed(intention: Intention) -> bool:
    """
    Close an intention of which nothing is left to do.

    Should the database go away at this very last step, the change is a success all the same:
    whoever was told otherwise would repeat it, and be told that it is done already.
    """
    try:
        return close(intention)
    except Error as error:
        logger.warning("intention_close_failed", extra={"intention": intention.pk, "cause": repr(error)})
        _renew_connection()
        with suppress(Error):  # what remains, reconcile_users forgets
            close(intention)
        return True


def claim(operation: str, email: str) -> bool:
    """Tell whether such a change was decided without its caller being told, and forget it if so."""
    return bool(Intention.objects.filter(operation=operation, email=email, decided=True).delete()[0])


def decided_deactivation(cognito_user_id: UUID) -> Intention | None:
    """Return the deactivation of an account that was decided and not finished."""
    return Intention.objects.filter(
        operation=Intention.DELETE, cognito_user_id=cognito_user_id, decided=True
    ).first()


def finish(intention: Intention) -> None:
    """
    Do what a decision left to do, and forget the intention and earlier attempts at the same.

    :raises UpstreamError: if a store cannot be reached; the next try goes on from here
    """
    with transaction.atomic():
        lock(intention.addresses)
        if not Intention.objects.filter(pk=intention.pk).exists():
            return  # somebody else did, and the addresses may be other people's by now
        convergence.finish(intention)
        close(intention)
        if intention.operation == Intention.DELETE:
            Intention.objects.filter(
                operation=Intention.DELETE, cognito_user_id=intention.cognito_user_id
            ).delete()


def settle_leftovers(addresses: Iterable[str], *, by: str) -> None:
    """
    Lead back what earlier changes of these addresses left half-way.

    A deactivation is not led back by another: it is carried on. What is decided and has nothing
    left to do waits for whoever asks again, to be answered.

    :raises UpstreamError: if a store cannot be led back
    """
    names = set(addresses)
    leftovers = Intention.objects.filter(Q(email__in=names) | Q(new_email__in=names))
    for leftover in leftovers:
        carried_on = by == leftover.operation == Intention.DELETE
        if not carried_on and not leftover.is_done:
            settle(leftover)


def settle(intention: Intention) -> list[str]:
    """
    Make the stores agree on the intention's addresses, and forget it.

    :return: what was done, in words
    :raises UpstreamError: if a store cannot be reached
    """
    with transaction.atomic():
        lock(intention.addresses)
        found = Intention.objects.filter(pk=intention.pk).first()
        if found is None:
            return []  # whoever had the lock before us settled it
        intention.decided = found.decided
        if intention.is_done:
            return []  # it was alive, and has come to its end
        done = convergence.restore(intention)
        if intention.sets_password and intention.password_sent and not intention.decided:
            audit.record_doubt(intention)
        close(intention)
    logger.info("intention_settled", extra={"intention": intention.pk, "operation": intention.operation})
    return done


def _happened_after_all(intention: Intention, error: Exception) -> bool:
    """Ask the database about a commit whose answer was lost."""
    if not isinstance(error, Error):
        return False
    try:
        return Intention.objects.filter(pk=intention.pk, decided=True).exists()
    except Error:
        return False


def _renew_connection() -> None:
    """Drop the connection if it is what failed; the next statement opens another."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()


def _give_up(intention: Intention) -> None:
    try:
        if not intention.touched:
            close(intention)
        elif intention.operation != Intention.DELETE:
            settle(intention)
    except (MopedError, Error) as error:
        # The next try or reconcile_users goes on from here.
        logger.warning(
            "intention_left_open",
            extra={"intention": intention.pk, "operation": intention.operation, "cause": repr(error)},
        )
