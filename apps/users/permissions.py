"""Permissions of `/users/`: who may see a user, and which stages allow changes."""

from collections.abc import Iterator

from django.conf import settings
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.auth.permissions import HasRole, get_caller, has_current_role
from apps.claims.hasura import ADMIN


class IsAdminOrSelf(HasRole):
    """
    Allow admins, and users to see their own account.

    The id in the claims identifies the caller's own account. The username of a single sign-on token is
    not the id of a Moped user.
    """

    message = "You need the role moped-admin to see another user's account."

    def failures(self, request: Request, view: APIView) -> Iterator[str]:
        """Yield the message of each failed check."""
        yield from super().failures(request, view)
        is_own_account = get_caller(request).claims.user_id.lower() == view.kwargs["user_id"].lower()
        if not is_own_account and not has_current_role(request, ADMIN):
            yield IsAdminOrSelf.message


class StageIsWritable(BasePermission):
    """Refuse changes on a preview, which shows another stage's data."""

    code = "read_only_stage"
    message = "This stage is read-only: accounts cannot be changed here."

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the stage is writable. The role of a read-only stage cannot write either."""
        return not settings.READ_ONLY
