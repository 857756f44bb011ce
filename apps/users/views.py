"""Administration of staff accounts, as the editor calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from rest_framework import status
from rest_framework.permissions import SAFE_METHODS
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.auth.permissions import HasRole, IsAdmin, get_caller
from apps.core.aws.errors import StoreMissingError
from apps.core.errors import UnavailableError, UpstreamError
from apps.core.http.operation import Operation, describe
from apps.core.http.throttles import WriteThrottle
from apps.users import errors, examples, selectors, services
from apps.users.permissions import IsAdminOrSelf, StageIsWritable
from apps.users.serializers import (
    ActivationSerializer,
    ChangedUserSerializer,
    EventSerializer,
    HistorySerializer,
    ListingSerializer,
    NewUserSerializer,
    UserDetailSerializer,
    UserPageSerializer,
    UserSerializer,
)

if TYPE_CHECKING:
    from rest_framework.permissions import BasePermission
    from rest_framework.request import Request
    from rest_framework.throttling import BaseThrottle

# The fields beside which the editor's form shows a message.
SHOWN = ("email", "first_name", "last_name", "title", "password")


# What any change of an account can meet.
WRITE_ERRORS = (
    errors.ReadOnlyStageError,
    errors.AddressRefusedError,
    errors.WorkgroupUnknownError,
    errors.BusyError,
    StoreMissingError,
    UpstreamError,
    UnavailableError,
)


class EditorFormView(APIView):
    """A view whose refusals of a write all reach the screen: the form shows nothing but field errors."""

    readers: tuple[type[BasePermission], ...] = (HasRole,)
    writers: tuple[type[BasePermission], ...] = (IsAdmin, StageIsWritable)

    def get_permissions(self) -> list[BasePermission]:
        """Return who may look, or who may change."""
        classes = self.readers if self.request.method in SAFE_METHODS else self.writers
        return [permission() for permission in classes]

    def get_throttles(self) -> list[BaseThrottle]:
        """Count changes, not looks."""
        return [] if self.request.method in SAFE_METHODS else [WriteThrottle()]

    def handle_exception(self, exc: Exception) -> Response:
        """Answer as always, and put a message under a field that is shown if there is none yet."""
        response = super().handle_exception(exc)
        if self.request.method not in SAFE_METHODS and response.status_code != status.HTTP_401_UNAUTHORIZED:
            response.data["error"] = _under_visible_field(
                response.data.get("error", {}), response.data["detail"]
            )
        return response


@describe(
    get=Operation(
        query=ListingSerializer,
        answer=UserPageSerializer,
        errors=(UnavailableError,),
        answer_example=examples.PAGE,
    ),
    post=Operation(
        body=NewUserSerializer,
        answer=UserSerializer,
        status=status.HTTP_201_CREATED,
        errors=(errors.UserExistsError, errors.AddressHeldError, errors.WeakPasswordError, *WRITE_ERRORS),
        body_example=examples.NEW_USER,
        answer_example=examples.USER,
    ),
)
class UserList(EditorFormView):
    """Everybody whom Moped knows."""

    def get(self, request: Request) -> Response:
        """List people from the database, by last name."""
        wanted = ListingSerializer(data=request.query_params.dict())
        wanted.is_valid(raise_exception=True)
        page = selectors.list_users(**wanted.validated_data)
        return Response({"count": page.total, "results": UserSerializer(page.people, many=True).data})

    def post(self, request: Request) -> Response:
        """Create a person with an account, or make a deactivated one whole again."""
        new_user = NewUserSerializer(data=request.data)
        new_user.is_valid(raise_exception=True)
        user = services.create_user(actor=get_caller(request), **new_user.validated_data)
        return Response(UserSerializer(user).data, status=status.HTTP_201_CREATED)


@describe(
    get=Operation(
        answer=UserDetailSerializer,
        errors=(errors.UserNotFoundError, UpstreamError, UnavailableError),
        answer_example=examples.PORTRAIT,
    ),
    put=Operation(
        body=ChangedUserSerializer,
        answer=UserSerializer,
        errors=(
            errors.UserNotFoundError,
            errors.AddressTakenError,
            errors.WeakPasswordError,
            errors.InactiveError,
            errors.OwnAccountError,
            errors.LastAdminError,
            *WRITE_ERRORS,
        ),
        body_example=examples.CHANGED_USER,
        answer_example=examples.USER,
    ),
    delete=Operation(
        status=status.HTTP_204_NO_CONTENT,
        errors=(errors.UserNotFoundError, errors.OwnAccountError, errors.LastAdminError, *WRITE_ERRORS),
    ),
)
class UserDetail(EditorFormView):
    """One person, by the id of their native Cognito account."""

    readers = (IsAdminOrSelf,)

    def get(self, request: Request, user_id: str) -> Response:
        """Show what the three stores know of a person."""
        return Response(UserDetailSerializer(selectors.get_user_detail(_account_id(user_id))).data)

    def put(self, request: Request, user_id: str) -> Response:
        """Change a person's profile, roles, address or password."""
        changed = ChangedUserSerializer(data=request.data)
        changed.is_valid(raise_exception=True)
        user = services.update_user(
            actor=get_caller(request), cognito_user_id=_uuid(user_id), **changed.validated_data
        )
        return Response(UserSerializer(user).data)

    def delete(self, request: Request, user_id: str) -> Response:
        """Deactivate a person: the rights end, the accounts go, the row stays."""
        services.deactivate_user(actor=get_caller(request), cognito_user_id=_account_id(user_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


@describe(
    put=Operation(
        body=ActivationSerializer,
        answer=UserSerializer,
        errors=(
            errors.UserNotFoundError,
            errors.AlreadyActiveError,
            errors.AddressHeldError,
            errors.WeakPasswordError,
            *WRITE_ERRORS,
        ),
        body_example=examples.ACTIVATION,
        answer_example=examples.USER,
    )
)
class UserActivation(EditorFormView):
    """An account for somebody who has none, or has none any more."""

    def put(self, request: Request) -> Response:
        """Activate a person who is known by their address."""
        activation = ActivationSerializer(data=request.data)
        activation.is_valid(raise_exception=True)
        user = services.activate_user(actor=get_caller(request), **activation.validated_data)
        return Response(UserSerializer(user).data)


@describe(
    get=Operation(
        answer=HistorySerializer,
        errors=(errors.UserNotFoundError, UnavailableError),
        answer_example=examples.HISTORY,
    )
)
class UserHistory(APIView):
    """What was done to one person's account."""

    permission_classes = (IsAdmin,)

    def get(self, request: Request, user_id: str) -> Response:
        """List who did what when, the latest first."""
        events = selectors.history(_account_id(user_id))
        return Response({"results": EventSerializer(events, many=True).data})


def _account_id(text: str) -> UUID:
    """
    Return the id in a path.

    :raises UserNotFoundError: if it is none
    """
    account_id = _uuid(text)
    if account_id is None:
        raise errors.UserNotFoundError
    return account_id


def _uuid(text: str) -> UUID | None:
    """Return the id, or None for any other text: the editor saves an inactive person as `null`."""
    try:
        account_id = UUID(text)
    except ValueError:
        return None
    # Python also takes braces and URN prefixes.
    return account_id if str(account_id) == text.lower() else None


def _under_visible_field(fields: dict[str, list[str]], detail: str) -> dict[str, list[Any]]:
    if not fields.keys().isdisjoint(SHOWN):
        return fields
    hidden = [f"{name}: {message}" for name, messages in fields.items() for message in messages]
    return {"email": hidden or [detail], **fields}
