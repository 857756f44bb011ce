"""
The permissions of views: the only rules that read the roles of a caller.

Roles in the token do not imply each other. Here an admin gets the rights of an editor.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, cast

from django.conf import settings
from rest_framework.permissions import SAFE_METHODS, IsAuthenticated
from rest_framework.request import Request

from apps.auth import current_roles
from apps.auth.callers import CognitoUser
from apps.claims.hasura import ADMIN, EDITOR, NO_CLAIMS, ROLES

if TYPE_CHECKING:
    from rest_framework.views import APIView


ADDRESS_UNVERIFIED = (
    "Your email address is not verified. Ask a Moped admin to open your user in the editor and save it."
)
NO_CITY_ADDRESS = (
    f"This is for City of Austin staff: your email address does not end in @{settings.STAFF_EMAIL_DOMAIN}."
)
NOT_ACTIVE = (
    "You have no active Moped account. Ask a Moped admin to create or activate it, then sign in again."
)
NO_ROLE = "You need a Moped role for this."


class IsSignedIn(IsAuthenticated):
    """Callers with a verified token."""

    message = "Sign in first."


class IsActive(IsSignedIn):
    """Callers with a verified address and an active account. A refusal names the condition that failed."""

    errors: ClassVar = (current_roles.RolesUnavailableError,)
    is_write: ClassVar[bool] = False
    """Whether a GET counts as a write too, and so needs a fresh answer of the claims table."""
    staff_only: ClassVar[bool] = False
    """Whether the address must be in the City's domain."""
    roles: ClassVar[tuple[str, ...]] = ()
    """Roles of which the caller needs one. `needs_role` is the message to callers without one."""
    needs_role: ClassVar[str] = NO_ROLE
    message = "This is for people with a verified address and an active Moped account."

    def has_permission(self, request: Request, view: APIView) -> bool:
        """
        Allow callers who meet all conditions.

        :raises RolesUnavailableError: if the claims table cannot be reached
        """
        failure = next(self.failures(request, view), "")
        self.message = failure or self.message
        return not failure

    def failures(self, request: Request, view: APIView) -> Iterator[str]:
        """Yield a sentence for each failed condition. Those that need no other service come first."""
        caller = get_caller(request)
        if self.staff_only and not caller.has_city_address:
            yield NO_CITY_ADDRESS
        if not caller.is_verified:
            yield ADDRESS_UNVERIFIED
        if caller.claims == NO_CLAIMS or get_current_roles(request, is_write=self.is_write) is None:
            yield NOT_ACTIVE
        if self.roles and not has_current_role(request, *self.roles, is_write=self.is_write):
            yield self.needs_role


class IsStaff(IsActive):
    """Active City staff with a verified address: the default of every view."""

    staff_only = True
    message = "This is for City of Austin staff whose address is verified."


class HasVerifiedRole(IsActive):
    """Callers with a verified address and a Moped role, including outside partners."""

    roles = ROLES
    message = "This is for people whose address is verified and who have a Moped role."


class HasRole(IsStaff):
    """City staff with one of `roles`."""

    roles: ClassVar[tuple[str, ...]] = ROLES
    message = NO_ROLE


class IsEditor(HasRole):
    """City staff who edit projects."""

    roles = (EDITOR, ADMIN)
    message = needs_role = "You need the role moped-editor or moped-admin for this."


class MayUpload(IsEditor):
    """Editors with a fresh answer of the claims table, because an upload signature is a right to write."""

    is_write = True


class IsAdmin(HasRole):
    """City staff who administer accounts."""

    roles = (ADMIN,)
    message = needs_role = "You need the role moped-admin for this."


def has_current_role(request: Request, *roles: str, is_write: bool = False) -> bool:
    """Return whether token and claims item both grant the caller one of these roles."""
    return not (get_current_roles(request, is_write=is_write) or frozenset()).isdisjoint(roles)


def get_current_roles(request: Request, *, is_write: bool = False) -> frozenset[str] | None:
    """
    Return the caller's current roles, or None if there is no claims item.

    :param is_write: whether the request counts as a write although its method is safe
    :raises RolesUnavailableError: if the claims table cannot be reached
    """
    return current_roles.effective_roles(
        get_caller(request), is_read=request.method in SAFE_METHODS and not is_write
    )


def get_caller(request: Request) -> CognitoUser:
    """Return the caller, with the type that authentication sets."""
    return cast("CognitoUser", request.user)
