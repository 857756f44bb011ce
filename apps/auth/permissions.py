"""
Who may: the only readers of roles.

Roles do not imply each other in the token; that an admin may what an editor may is said here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from rest_framework.permissions import SAFE_METHODS, BasePermission

from apps.auth import rights
from apps.core.claims import ADMIN, EDITOR, VIEWER

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView

    from apps.auth.users import CognitoUser


class IsSignedIn(BasePermission):
    """Anyone with a genuine token of the pool."""

    message = "Sign in first."

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Allow every caller whose token holds."""
        return caller_of(request).is_authenticated


class IsStaff(IsSignedIn):
    """City staff with a proven address: the default of every view."""

    errors: ClassVar = (rights.RightsUnknownError,)
    is_write: ClassVar[bool] = False
    """Whether a GET counts as a write too, and so needs a fresh answer of the claims table."""
    message = "This is for City of Austin staff whose address is verified."

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Allow what the City calls a valid user, as long as Moped knows the person."""
        return caller_of(request).is_city_staff and roles_now(request, is_write=self.is_write) is not None


class IsKnown(IsSignedIn):
    """Anyone with a proven address and a Moped role, accounts of outside partners included."""

    errors: ClassVar = (rights.RightsUnknownError,)
    message = "This is for people whose address is verified and who have a Moped role."

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Allow whom an administrator gave a role."""
        return caller_of(request).is_verified and has_role_now(request, VIEWER, EDITOR, ADMIN)


class HasRole(IsStaff):
    """City staff with one of `roles`."""

    roles: ClassVar[tuple[str, ...]] = (VIEWER, EDITOR, ADMIN)
    message = "You need a Moped role for this."

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Allow staff who have one of the roles at this moment."""
        return super().has_permission(request, view) and has_role_now(
            request, *self.roles, is_write=self.is_write
        )


class IsEditor(HasRole):
    """City staff who edit projects."""

    roles = (EDITOR, ADMIN)
    message = "You need the role moped-editor or moped-admin for this."


class MayUpload(IsEditor):
    """Editors at this moment: the signature of an upload is a right to write."""

    is_write = True


class IsAdmin(HasRole):
    """City staff who administer accounts."""

    roles = (ADMIN,)
    message = "You need the role moped-admin for this."


def has_role_now(request: Request, *roles: str, is_write: bool = False) -> bool:
    """Tell whether token and claims item both grant the caller one of these roles."""
    return not (roles_now(request, is_write=is_write) or frozenset()).isdisjoint(roles)


def roles_now(request: Request, *, is_write: bool = False) -> frozenset[str] | None:
    """
    Return the roles that the caller still has; None if Moped no longer knows the person.

    :param is_write: whether the request counts as a write although its method is safe
    :raises RightsUnknownError: if that cannot be found out
    """
    return rights.effective_roles(
        caller_of(request), only_looks=request.method in SAFE_METHODS and not is_write
    )


def caller_of(request: Request) -> CognitoUser:
    """Return who is calling, by the type that authentication gives them."""
    return cast("CognitoUser", request.user)
