"""
The roles that a caller has now: a role counts if the token and the claims item both grant it.

A token is up to an hour old. The claims item is read once for each user, container and minute. While the
table cannot be reached, reads use the last answer for five minutes. Writes require a fresh answer, and
no answer means no access.
"""

import logging

from apps.auth.callers import CognitoUser
from apps.claims import items as claims_items
from apps.claims.identity import claims_address
from apps.core.cache import RefreshingCache
from apps.core.errors import UnavailableError, UpstreamError

logger = logging.getLogger(__name__)

FRESH_SECONDS = 60
# How much longer reads use the last answer while the table cannot be reached.
STALE_SECONDS = 300
# After a failure, reads use the last answer for this long without asking the table.
RETRY_SECONDS = 5


class RolesUnavailableError(UnavailableError):
    """The caller's current roles cannot be read from the claims table."""

    code = "rights_unknown"
    message = "Whether you may do this cannot be checked at the moment. Try again."


def effective_roles(caller: CognitoUser, *, is_read: bool) -> frozenset[str] | None:
    """
    Return the roles that both the token and the claims item grant, or None if there is no item.

    :param is_read: whether the request changes nothing
    :raises RolesUnavailableError: if the table cannot be reached and no cached answer is recent enough
    """
    address = claims_address(username=caller.username, email=caller.email)
    try:
        item_roles = _cache.get(address, allow_stale=is_read)
    except UpstreamError as error:
        raise RolesUnavailableError from error
    return None if item_roles is None else item_roles & set(caller.roles)


def invalidate(*addresses: str) -> None:
    """Drop the cached roles of these addresses, or of all."""
    _cache.clear(*addresses)


def _load(address: str) -> frozenset[str] | None:
    try:
        claims = claims_items.claims_of(address)
    except UnavailableError as error:
        logger.warning("rights_unknown", extra={"cause": repr(error.__cause__)})
        raise
    return None if claims is None else frozenset(claims.allowed_roles)


_cache: RefreshingCache[str, frozenset[str] | None] = RefreshingCache(
    _load,
    FRESH_SECONDS,
    max_age=FRESH_SECONDS + STALE_SECONDS,
    pause=RETRY_SECONDS,
    failures=(UnavailableError,),
)
