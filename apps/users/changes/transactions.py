"""
Transactions over all three stores (ADR 0006).

`begin` writes a row before any store is touched. `carry_out` locks the addresses in a database transaction.
`finish_or_roll_back` ends the change: at once, at the next attempt, or in `reconcile_users`. The module
`stores` writes to Cognito and the claims table.

PostgreSQL releases the lock with the transaction, so it also works behind a proxy that shares sessions.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from django.db import Error, OperationalError, connection, transaction
from django.db.models import Func, Q, TextField

from apps.auth import current_roles
from apps.auth.callers import CognitoUser
from apps.claims import items as claims_items
from apps.claims.hasura import UNKNOWN_ID
from apps.claims.identity import is_city_address, normalize, sso_username
from apps.core.context import current
from apps.core.errors import InvalidError, MopedError
from apps.users.adapters import cognito
from apps.users.changes import stores
from apps.users.errors import BusyError
from apps.users.models import PASSWORD_CHANGE, Event, MopedUser, PendingChange

logger = logging.getLogger(__name__)

# PostgreSQL's code. Importing psycopg's error class would cost every cold start 80 ms.
LOCK_NOT_AVAILABLE = "55P03"


@dataclass
class Attempt:
    """The progress of this process with one pending change."""

    change: PendingChange
    touched: bool = False
    """Whether the pool or the claims table may have changed."""
    transaction_id: str | None = None

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
    operation: str, *, actor: CognitoUser | None, email: str, password: str | None = None, **details: Any
) -> PendingChange:
    """
    End earlier changes of the addresses, then write the row of a new change.

    A deactivation does not end an earlier deactivation, but completes it.

    :raises BusyError: if another change of the same address is in progress
    :raises UpstreamError: if a store cannot be reached for an earlier change
    """
    addresses = {email, details.get("new_email") or email}
    for earlier in PendingChange.objects.filter(Q(email__in=addresses) | Q(new_email__in=addresses)):
        if not operation == earlier.operation == PendingChange.DELETE:
            finish_or_roll_back(earlier)
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
    Run the block in a transaction that locks the addresses, then finish the change.

    A failure before the commit is rolled back. But a deactivation that touched a store stays pending, so that
    access stays revoked. The next attempt continues it.

    :param touched: whether an earlier attempt at this change may have touched a store
    :raises BusyError: if another transaction holds the lock for too long, or ended the change
    :raises UpstreamError: if a store cannot be reached
    """
    attempt = Attempt(change, touched)
    try:
        with transaction.atomic():
            lock(change.addresses)
            attempt.transaction_id = _transaction_id(change)
            yield attempt
            _mark_committed(change)
    except Exception as error:
        if not _was_committed(attempt, error):
            _give_up(attempt, error)
            raise
    current_roles.invalidate(*change.addresses)
    if change.has_cleanup:
        finish_or_roll_back(change)


def finish_or_roll_back(change: PendingChange, *, password_sent: bool = True) -> None:
    """
    Finish a committed change or roll back any other. Then delete its row.

    :param password_sent: whether the pool may have the new password
    :raises BusyError: if another transaction holds the lock for too long
    :raises UpstreamError: if a store cannot be reached. The next attempt continues
    """
    with transaction.atomic():
        lock(change.addresses)
        stored = PendingChange.objects.filter(pk=change.pk).first()
        if stored is None:
            return  # another request ended it, and the addresses may have new owners
        finished = Q(pk=stored.pk)
        if not stored.decided:
            _roll_back(stored)
            if stored.sets_password and password_sent:
                _record_uncertain_password(stored)
            logger.info("intention_settled", extra={"change": change.pk, "operation": change.operation})
        else:
            _finish(stored)
            if stored.operation == PendingChange.DELETE:  # also ends earlier attempts at it
                finished |= Q(operation=PendingChange.DELETE, cognito_user_id=stored.cognito_user_id)
        PendingChange.objects.filter(finished).delete()


def _roll_back(change: PendingChange) -> None:
    """
    Make the stores agree with the database on every address that an uncommitted change touched.

    The item is written even if it matches, so that a delayed write of this change fails. Only an account
    that this change created is deleted, and only if no user has it.
    """
    for address in change.addresses:
        stores.sync_from_database(address, rewrite=True)
    for account in filter(None, map(stores.native_account, change.addresses)):
        is_own = account.mark == str(change.pk)
        if is_own and not MopedUser.objects.filter(cognito_user_id=account.username).exists():
            cognito.delete(account.username)


def _finish(change: PendingChange) -> None:
    """
    Delete the accounts and items that have no owner after a committed change.

    Since the commit, another change may have given the address and the account to a user again. Then
    nothing is deleted.
    """
    owner = MopedUser.objects.with_address(change.email)
    if owner and owner.may_sign_in:
        return
    if change.operation == PendingChange.DELETE:
        stores.delete_accounts(change)
    elif change.new_email:
        claims_items.delete(change.email)
        if is_city_address(change.email):
            cognito.delete(sso_username(change.email))


def actor_fields(actor: CognitoUser | None) -> dict[str, Any]:
    """Return the caller's fields for events and pending changes."""
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
            for name in sorted(set(names)):  # sorted, to prevent deadlocks
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") == LOCK_NOT_AVAILABLE:
            raise BusyError from error
        raise


def _transaction_id(change: PendingChange) -> str:
    """
    Return the id of this transaction, with which `_was_committed` asks for its outcome.

    :raises BusyError: if another transaction ended the change
    """
    function = Func(function="pg_current_xact_id", output_field=TextField())
    transaction_id = PendingChange.objects.filter(pk=change.pk).values_list(function, flat=True).first()
    if transaction_id is None:
        raise BusyError
    return str(transaction_id)


def _mark_committed(change: PendingChange) -> None:
    """Mark the change as committed, or delete it if nothing is left to do after the commit."""
    pending = PendingChange.objects.filter(pk=change.pk)
    if change.has_cleanup:
        pending.update(decided=True)
    else:
        pending.delete()


def _record_uncertain_password(change: PendingChange) -> None:
    """Record that a rolled-back change may have set a password. The pool cannot show it."""
    user = MopedUser.objects.filter(email__in=change.addresses).first()
    if user:
        Event.append(f"{change.operation}_given_up", user, PASSWORD_CHANGE, change.actor, change.request_id)


def _was_committed(attempt: Attempt, error: Exception) -> bool:
    """Ask the database about a commit whose result was lost."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()  # the next statement opens another
    if isinstance(error, Error) and attempt.transaction_id:
        with suppress(Error), connection.cursor() as cursor:
            cursor.execute("SELECT pg_xact_status(%s::text::xid8)", [attempt.transaction_id])
            return bool(cursor.fetchone() == ("committed",))
    return False


def _give_up(attempt: Attempt, error: Exception) -> None:
    change = attempt.change
    try:
        if not attempt.touched:
            PendingChange.objects.filter(pk=change.pk).delete()
        elif change.operation != PendingChange.DELETE:
            finish_or_roll_back(change, password_sent=not isinstance(error, InvalidError))
    except (MopedError, Error) as failure:
        # The next attempt or reconcile_users continues from here.
        logger.warning(
            "intention_left_open",
            extra={"change": change.pk, "operation": change.operation, "cause": repr(failure)},
        )
