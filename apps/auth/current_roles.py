"""
The roles that a caller has at this moment.

A token has the roles of its issue, up to an hour ago. A role counts only if the claims item grants it
too: one small read for each person, container and minute. While the table cannot be reached, reads
may use the last known roles. Writes require a fresh answer, and no answer means no access.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from apps.claims import items as claims_items
from apps.claims.identity import claims_address
from apps.core.errors import UnavailableError, UpstreamError

if TYPE_CHECKING:
    from apps.auth.callers import CognitoUser

logger = logging.getLogger(__name__)

FRESH_SECONDS = 60
# How much longer the last answer holds while the table is away. Writes need a fresh one, and so does
# signing an upload.
STALE_SECONDS = 300
# Minimum interval between attempts after a failure, so that not every request waits for it.
RETRY_SECONDS = 5
# Distinct people that one container remembers.
LARGEST_CACHE = 1024


class RolesUnavailableError(UnavailableError):
    """The caller's current roles cannot be read."""

    code = "rights_unknown"
    message = "Whether you may do this cannot be checked at the moment. Try again."


class _CachedRoles(NamedTuple):
    """The roles in the claims table and the time of the read. None means that there is no item."""

    roles: frozenset[str] | None
    asked_at: float

    def is_younger_than(self, seconds: float) -> bool:
        # A clock that was set back makes an answer old, not young.
        return 0 <= time.time() - self.asked_at < seconds


# Threads share it without a lock: each method of an OrderedDict is atomic. An iteration is not.
_answers: OrderedDict[str, _CachedRoles] = OrderedDict()
_failed_at: dict[str, float] = {}
# One reader per person; people share a few locks, so that there is no bookkeeping.
_locks = tuple(Lock() for _ in range(64))


def effective_roles(caller: CognitoUser, *, only_looks: bool) -> frozenset[str] | None:
    """
    Return the roles that both the token and the claims item grant; None if there is no item.

    :param only_looks: whether the request changes nothing
    :raises RolesUnavailableError: if the table is away and no answer is young enough
    """
    item_roles = _cached_roles(claims_email(caller), only_looks=only_looks)
    return None if item_roles is None else item_roles & set(caller.roles)


def claims_email(caller: CognitoUser) -> str:
    """Return the address under which the trigger found the caller's claims."""
    return claims_address(username=caller.username, email=caller.email)


def invalidate(*addresses: str) -> None:
    """Forget the roles of these addresses, which were just changed here, or of all addresses."""
    if not addresses:
        _answers.clear()
    for address in addresses:
        _answers.pop(address, None)
    _failed_at.clear()


def _cached_roles(address: str, *, only_looks: bool) -> frozenset[str] | None:
    with _locks[hash(address) % len(_locks)]:
        answer = _answers.get(address)
        if answer and answer.is_younger_than(FRESH_SECONDS):
            return answer.roles
        try:
            return _ask(address).roles
        except UpstreamError as error:
            if answer and only_looks and answer.is_younger_than(FRESH_SECONDS + STALE_SECONDS):
                return answer.roles
            raise RolesUnavailableError from error


def _ask(address: str) -> _CachedRoles:
    now = time.time()
    if 0 <= now - _failed_at.get("table", -RETRY_SECONDS) < RETRY_SECONDS:
        raise RolesUnavailableError
    try:
        claims = claims_items.claims_of(address)
    except UnavailableError as error:
        _failed_at["table"] = time.time()
        logger.warning("rights_unknown", extra={"cause": repr(error.__cause__)})
        raise
    answer = _CachedRoles(None if claims is None else frozenset(claims.allowed_roles), now)
    _remember(address, answer)
    return answer


def _remember(address: str, answer: _CachedRoles) -> None:
    _answers.pop(address, None)
    _answers[address] = answer
    while len(_answers) > LARGEST_CACHE:
        _answers.popitem(last=False)
