"""
Who may: the only readers of roles.

Roles do not imply each other in the token; that an admin may what an editor may is said here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from rest_framework.permissions import BasePermission

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView

    from apps.auth.users import CognitoUser

ADMIN = "moped-admin"
EDITOR = "moped-editor"
VIEWER = "moped-viewer"


class IsSignedIn(BasePermission):
    """Anyone with a genuine token of the pool."""

    message = "Sign in first."

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Allow every caller whose token holds."""
        return _caller(request).is_authenticated


class IsStaff(IsSignedIn):
    """City staff with a proven address: the default of every view."""

    message = "This is for City of Austin staff whose address is verified."

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Allow what the City calls a valid user."""
        return _caller(request).is_city_staff


class IsKnown(IsSignedIn):
    """Anyone with a proven address and a Moped role, accounts of outside partners included."""

    message = "This is for people whose address is verified and who have a Moped role."

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Allow whom an administrator gave a role."""
        caller = _caller(request)
        return bool(caller.is_verified) and caller.has_role(VIEWER, EDITOR, ADMIN)


class HasRole(IsStaff):
    """City staff with one of `roles`."""

    roles: ClassVar[tuple[str, ...]] = (VIEWER, EDITOR, ADMIN)
    message = "You need a Moped role for this."

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Allow staff to whom the token grants one of the roles."""
        return super().has_permission(request, view) and _caller(request).has_role(*self.roles)


class IsEditor(HasRole):
    """City staff who edit projects."""

    roles = (EDITOR, ADMIN)
    message = "You need the role moped-editor or moped-admin for this."


class IsAdmin(HasRole):
    """City staff who administer accounts."""

    roles = (ADMIN,)
    message = "You need the role moped-admin for this."


def _caller(request: Request) -> CognitoUser:
    return cast("CognitoUser", request.user)
