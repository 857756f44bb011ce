"""Reads and changes the accounts of the user pool through Cognito's admin API."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from apps.claims.identity import claims_address, sso_address
from apps.core.aws import clients
from apps.core.aws.errors import StoreMissingError, translate_errors
from apps.users.errors import (
    AccountNotFoundError,
    AddressRefusedError,
    AddressTakenError,
    WeakPasswordError,
)

# The attribute that holds an account's mark: the id of the change that created it. boto3 repeats a call after
# a time-out and fails if the first attempt succeeded. The mark shows which change created the account.
# The City's pool exists already, so the mark is in a standard attribute that Moped does not use otherwise.
CREATED_BY = "profile"
FEDERATED = "EXTERNAL_PROVIDER"
FORCE_CHANGE = "FORCE_CHANGE_PASSWORD"
LARGEST_PAGE = 60
# An AWS account may send Cognito thirty such calls a second. Calls that create users count too.
PAUSE_SECONDS = 0.1
# These errors have the same meaning in all calls.
ERRORS: dict[str, Any] = {
    "UserNotFoundException": AccountNotFoundError,
    "ResourceNotFoundException": StoreMissingError,
    "UsernameExistsException": AddressTakenError,
    "AliasExistsException": AddressTakenError,
    "InvalidPasswordException": WeakPasswordError,
    "PasswordHistoryPolicyViolationException": WeakPasswordError,
}


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the pool. `username` is a UUID, or `azuread_<address>` for single sign-on."""

    username: str
    email: str
    is_verified: bool
    is_enabled: bool
    status: str
    mark: str
    created_at: datetime | None = None

    @property
    def is_sso(self) -> bool:
        """Whether this is a single sign-on account."""
        return bool(sso_address(self.username))

    @property
    def is_native(self) -> bool:
        """Whether this is a native account, which a row of `moped_users` can reference."""
        try:
            return str(UUID(self.username)) == self.username and self.status != FEDERATED
        except ValueError:
            return False

    @property
    def address(self) -> str:
        """Return the lower-case address of the claims item that the trigger reads for this account."""
        return claims_address(username=self.username, email=self.email)


def get_or_none(username: str) -> Account | None:
    """Return an account by its name or by the address it signs in with, if there is one."""
    with suppress(AccountNotFoundError), translate_errors(**ERRORS):
        answer = clients.cognito().admin_get_user(**_account_key(username))
        return _parse_account(answer, answer["UserAttributes"])
    return None


def find(email: str) -> list[Account]:
    """Return the native and single sign-on accounts with this address, in upper or lower case."""
    quoted = email.replace("\\", "\\\\").replace('"', '\\"')
    with translate_errors(**ERRORS):
        answer = clients.cognito().list_users(
            UserPoolId=settings.COGNITO_USER_POOL_ID, Filter=f'email = "{quoted}"', Limit=LARGEST_PAGE
        )
        return [_parse_account(user, user.get("Attributes", ())) for user in answer["Users"]]


def create(*, email: str, password: str, mark: str) -> Account:
    """
    Create an account that cannot sign in yet. Cognito sends no email.

    :raises AddressTakenError: if an account with this address exists
    :raises WeakPasswordError: if the pool refuses the password
    :raises AddressRefusedError: if the pool refuses the address
    """
    attributes = [
        {"Name": "email", "Value": email},
        {"Name": "email_verified", "Value": "true"},
        {"Name": CREATED_BY, "Value": mark},
    ]
    with translate_errors(**ERRORS, InvalidParameterException=AddressRefusedError):
        user = clients.cognito().admin_create_user(
            UserPoolId=settings.COGNITO_USER_POOL_ID,
            Username=email,
            TemporaryPassword=password,
            MessageAction="SUPPRESS",
            UserAttributes=attributes,  # type: ignore[arg-type]
        )["User"]
        return _parse_account(user, user.get("Attributes", ()))


def set_password(username: str, password: str) -> None:
    """
    Set an account's permanent password.

    :raises WeakPasswordError: if the pool refuses it
    """
    with translate_errors(**ERRORS, InvalidParameterException=WeakPasswordError):
        clients.cognito().admin_set_user_password(**_account_key(username), Password=password, Permanent=True)


def set_email(username: str, email: str, *, is_verified: bool) -> None:
    """
    Set the address that an account signs in with.

    :raises AddressTakenError: if another account signs in with it
    :raises AddressRefusedError: if the pool refuses it
    """
    flag = {"Name": "email_verified", "Value": str(is_verified).lower()}
    attributes: Any = [{"Name": "email", "Value": email}, flag]
    with translate_errors(**ERRORS, InvalidParameterException=AddressRefusedError):
        clients.cognito().admin_update_user_attributes(**_account_key(username), UserAttributes=attributes)


def enable(username: str) -> None:
    """Let a disabled account sign in again."""
    with translate_errors(**ERRORS):
        clients.cognito().admin_enable_user(**_account_key(username))


def sign_out(username: str) -> None:
    """Revoke the refresh tokens of an account, if there is one."""
    with suppress(AccountNotFoundError), translate_errors(**ERRORS):
        clients.cognito().admin_user_global_sign_out(**_account_key(username))


def delete(username: str) -> None:
    """Delete an account and its sessions, if there is one."""
    with suppress(AccountNotFoundError), translate_errors(**ERRORS):
        clients.cognito().admin_delete_user(**_account_key(username))


def iter_accounts() -> Iterator[Account]:
    """Yield every account, with a pause after each page to leave quota for other callers."""
    pages = (
        clients.cognito()
        .get_paginator("list_users")
        .paginate(UserPoolId=settings.COGNITO_USER_POOL_ID, PaginationConfig={"PageSize": LARGEST_PAGE})
    )
    with translate_errors(**ERRORS):
        for page in pages:
            for user in page["Users"]:
                yield _parse_account(user, user.get("Attributes", ()))
            if "PaginationToken" in page:
                time.sleep(PAUSE_SECONDS)


def pre_token_function_arn() -> str:
    """Return the ARN of the pool's pre-token trigger, or ""."""
    with translate_errors(**ERRORS):
        pool = clients.cognito().describe_user_pool(UserPoolId=settings.COGNITO_USER_POOL_ID)["UserPool"]
        return pool.get("LambdaConfig", {}).get("PreTokenGeneration", "")


def _account_key(username: str) -> dict[str, Any]:
    return {"UserPoolId": settings.COGNITO_USER_POOL_ID, "Username": username}


def _parse_account(user: Mapping[str, Any], attributes: Iterable[Mapping[str, Any]]) -> Account:
    values = {attribute["Name"]: attribute.get("Value", "") for attribute in attributes}
    return Account(
        username=user["Username"],
        email=values.get("email", ""),
        is_verified=values.get("email_verified", "").lower() == "true",
        is_enabled=user.get("Enabled", True),
        status=user.get("UserStatus", ""),
        mark=values.get(CREATED_BY, ""),
        created_at=user.get("UserCreateDate"),
    )
