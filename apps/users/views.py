"""The routes under `/users/`, which the editor calls to manage staff accounts."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.urls.converters import UUIDConverter
from rest_framework import status
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.throttling import BaseThrottle

from apps.auth.permissions import HasRole, IsAdmin, get_caller
from apps.core.http.throttles import WriteThrottle
from apps.core.http.views import CountedPagination, QueryView
from apps.users import selectors, services
from apps.users.models import MopedUser
from apps.users.permissions import IsAdminOrSelf, StageIsWritable
from apps.users.serializers import (
    ActivationSerializer,
    ChangedUserSerializer,
    HistorySerializer,
    NewUserSerializer,
    UserDetailSerializer,
    UserQuerySerializer,
    UserSerializer,
)

# The editor's form shows messages beside these fields only.
VISIBLE_FIELDS = ("email", "first_name", "last_name", "title", "password")


class EditorFormView(QueryView):
    """
    A view that the editor's form calls.

    The form shows only messages of visible fields, so each refused write gets one.
    """

    permission_classes = (HasRole,)
    body_serializer_class: ClassVar[type[BaseSerializer[Any]] | None] = None
    own_messages: Mapping[str, list[str]] | None = None
    """The messages of a refused write, without the message added for the editor. The HTML page shows them."""

    def get_object(self) -> None:
        """Do nothing. DRF calls this for OPTIONS, and these permissions need no object."""

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        """Return the serializer of the request body for a write, else the serializer of the answer."""
        is_write = self.request.method not in SAFE_METHODS
        return (is_write and self.body_serializer_class) or super().get_serializer_class()

    def get_validated_body(self) -> dict[str, Any]:
        """
        Return the validated body.

        :raises ValidationError: with the messages of all invalid fields
        """
        body = self.get_serializer(data=self.request.data)
        body.is_valid(raise_exception=True)
        return body.validated_data  # type: ignore[no-any-return]

    def get_permissions(self) -> Sequence[Any]:
        """Return the permissions for reads, or those for writes."""
        is_read = self.request.method in SAFE_METHODS
        return super().get_permissions() if is_read else [IsAdmin(), StageIsWritable()]

    def get_throttles(self) -> list[BaseThrottle]:
        """Count writes only."""
        return [] if self.request.method in SAFE_METHODS else [WriteThrottle()]

    def handle_exception(self, exc: Exception) -> Response:
        """Return DRF's answer. For a refused write, add a message under a visible field if there is none."""
        response = super().handle_exception(exc)
        if self.request.method not in SAFE_METHODS and response.status_code != status.HTTP_401_UNAUTHORIZED:
            self.own_messages = response.data.get("error", {})
            response.data["error"] = _under_visible_field(self.own_messages, response.data["detail"])
        return response


class UserListView(EditorFormView):
    """The users of Moped."""

    serializer_class = UserSerializer
    body_serializer_class = NewUserSerializer
    query_serializer_class = UserQuerySerializer
    pagination_class = CountedPagination

    def get_queryset(self) -> QuerySet[MopedUser]:
        """Return the users that the query asks for."""
        filters = {name: value for name, value in self.query.items() if name not in {"limit", "offset"}}
        return selectors.list_users(**filters)

    def get(self, request: Request) -> Response:
        """
        List users from the database, by last name.

        A user has to match all filters. Unknown parameters are ignored.
        """
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def post(self, request: Request) -> Response:
        """
        Create a user with an account, or restore a deactivated user.

        A deactivated user with the address keeps the row and its number. If the pool already has an account
        with the address, the user gets it with the new password, and its sessions end. A repeated request
        with the same fields answers 201 or 409 `user_exists`. It never creates a second account.
        """
        user = services.create_user(actor=get_caller(request), **self.get_validated_body())
        return Response(UserSerializer(user).data, status=status.HTTP_201_CREATED)


class UserDetailView(EditorFormView):
    """One user, by the id of the native Cognito account (`cognito_user_id`, not `user_id`)."""

    permission_classes = (IsAdminOrSelf,)
    serializer_class = UserDetailSerializer
    body_serializer_class = ChangedUserSerializer

    def get(self, request: Request, user_id: str) -> Response:
        """
        Show a user's data in the database, the user pool and the claims table.

        The id of the last account also finds an inactive user. Such a user has no account and no claims.
        """
        return Response(self.get_serializer(selectors.get_user_detail(_account_id(user_id))).data)

    def put(self, request: Request, user_id: str) -> Response:
        """
        Change a user's profile, roles, address or password.

        The body replaces all fields. Without `note` the note becomes empty. Without `is_user_group_member`
        the user is no member. If the password is absent, `""` or null, it stays as it is. For an inactive
        user the answer is 409 `inactive`.
        """
        changes, account_id = self.get_validated_body(), _account_id(user_id)
        user = services.update_user(actor=get_caller(request), cognito_user_id=account_id, **changes)
        return Response(UserSerializer(user).data)

    def delete(self, request: Request, user_id: str) -> Response:
        """
        Deactivate a user.

        The user loses all rights and accounts. The row stays. A repeated request has no effect and
        answers 204. `PUT /users/activate/` activates the user again.
        """
        services.deactivate_user(actor=get_caller(request), cognito_user_id=_account_id(user_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class UserActivationView(EditorFormView):
    """The activation of a user without an account."""

    serializer_class = UserSerializer
    body_serializer_class = ActivationSerializer

    def put(self, request: Request) -> Response:
        """
        Activate the user with this address.

        The user was deactivated or never had an account. For an active user with the same roles, the request
        sets the password, so that a client can repeat it after a lost answer. For an active user with other
        roles the answer is 409 `already_active`.
        """
        user = services.activate_user(actor=get_caller(request), **self.get_validated_body())
        return Response(UserSerializer(user).data)


class UserHistoryView(QueryView):
    """The changes of one user's account."""

    permission_classes = (IsAdmin,)
    serializer_class = HistorySerializer

    def get(self, request: Request, user_id: str) -> Response:
        """
        List the changes of a user with actor and time, the latest first.

        The list has the latest 200 changes. The id of any account that the user has or had finds the user.
        """
        events = selectors.history(_account_id(user_id))
        return Response(self.get_serializer({"results": events}).data)


def _account_id(text: str) -> UUID:
    """Return the id in a path, or zero for other text. The editor sends `null` for an inactive user."""
    # Python's UUID() alone would also accept braces and URN prefixes.
    return UUID(text) if re.fullmatch(UUIDConverter.regex, text.lower()) else UUID(int=0)


def _under_visible_field(fields: Mapping[str, list[str]], detail: str) -> dict[str, list[Any]]:
    if not fields.keys().isdisjoint(VISIBLE_FIELDS):
        return dict(fields)
    hidden = [f"{name}: {message}" for name, messages in fields.items() for message in messages]
    return {"email": hidden or [detail], **fields}
