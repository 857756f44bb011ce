"""What can go wrong with a claims item."""

from apps.core.errors import ConflictError


class ClaimsChangedError(ConflictError):
    """The claims item is no longer the one that was read: another writer was faster."""

    code = "claims_changed"
    message = "This account is being changed at this moment. Try again."
    field = "email"
