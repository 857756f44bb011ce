"""Hasura's claims, normalized: the only speller of `x-hasura-…`."""

from __future__ import annotations

import msgspec

CLAIMS_NAMESPACE = "https://hasura.io/jwt/claims"
UNKNOWN_ID = "0"


class HasuraClaims(msgspec.Struct, frozen=True, kw_only=True):
    """
    What Hasura may know of a caller.

    The two ids are decimal strings, as Hasura wants them; "0" means unknown. `user_id` is the
    UUID of the native Cognito account, which for a caller through single sign-on is not the
    token's own username.
    """

    user_id: str = msgspec.field(name="x-hasura-user-id", default="")
    default_role: str = msgspec.field(name="x-hasura-default-role", default="")
    allowed_roles: tuple[str, ...] = msgspec.field(name="x-hasura-allowed-roles", default=())
    database_id: str = msgspec.field(name="x-hasura-user-db-id", default=UNKNOWN_ID)
    workgroup_id: str = msgspec.field(name="x-hasura-user-wg-id", default=UNKNOWN_ID)

    def as_dict(self) -> dict[str, str | list[str]]:
        """Return a fresh dictionary in Hasura's own spelling."""
        return msgspec.to_builtins(self)  # type: ignore[no-any-return]


NO_CLAIMS = HasuraClaims()
