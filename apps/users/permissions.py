"""Who may see one person, and where anybody may change one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.permissions import BasePermission

from apps.auth.permissions import HasRole, get_caller, has_current_role
from apps.claims.hasura import ADMIN
from apps.users.errors import ReadOnlyStageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rest_framework.request import Request
    from rest_framework.views import APIView


class IsAdminOrSelf(HasRole):
    """
    Admins, and users who ask about themselves.

    Oneself is known by the claims' id: the username of a token through single sign-on is not the
    id of a Moped user.
    """

    message = "You need the role moped-admin to see somebody else's account."

    def failures(self, request: Request, view: APIView) -> Iterator[str]:
        """Yield what fails, ending with whose account it is."""
        yield from super().failures(request, view)
        is_oneself = get_caller(request).claims.user_id.lower() == view.kwargs["user_id"].lower()
        if not is_oneself and not has_current_role(request, ADMIN):
            yield IsAdminOrSelf.message


class StageIsWritable(BasePermission):
    """Everybody, but on a stage that only shows another's data."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """
        Allow, unless the stage is read-only; its role could not write either.

        :raises ReadOnlyStageError: on a read-only stage
        """
        if settings.READ_ONLY:
            raise ReadOnlyStageError
        return True
