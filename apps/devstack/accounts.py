"""Makes the personas: account, row, claims item. What is there already is left as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from apps.claims import table as claims_table
from apps.claims.hasura import HasuraClaims
from apps.claims.identity import is_city_address
from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.core.errors import NotFoundError
from apps.devstack.personas import PASSWORD
from apps.users.models import MopedUser

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mypy_boto3_cognito_idp.type_defs import AdminGetUserResponseTypeDef

    from apps.devstack.personas import Persona

# An account whose password is not permanent yet says FORCE_CHANGE_PASSWORD.
COMPLETE = "CONFIRMED"


def ensure(personas: Iterable[Persona]) -> None:
    """Make those personas who are not there yet, or only in part."""
    for persona in personas:
        account = _account(persona)
        if not _is_complete(account) or not _has_row(persona):
            username = account["Username"] if account else _create_account(persona)
            _grant(persona, _row(persona, username).claims if persona.has_claims else None)
            _set_password(username)


def ensure_accounts(personas: Iterable[Persona]) -> None:
    """Make their accounts and claims items alone, as tests without a database want them."""
    for persona in personas:
        account = _account(persona)
        if not _is_complete(account):
            username = account["Username"] if account else _create_account(persona)
            _grant(persona, _claims(persona, username) if persona.has_claims else None)
            _set_password(username)


def lost_addresses() -> list[str]:
    """Return the addresses of the people who may sign in by their row, but whose account is gone."""
    with translate_errors():
        pages = (
            clients.cognito().get_paginator("list_users").paginate(UserPoolId=settings.COGNITO_USER_POOL_ID)
        )
        usernames = {user["Username"] for page in pages for user in page["Users"]}
    people = [person for person in MopedUser.objects.order_by("email") if person.may_sign_in]
    return [person.address for person in people if str(person.cognito_user_id) not in usernames]


def _is_complete(account: AdminGetUserResponseTypeDef | None) -> bool:
    return account is not None and account["UserStatus"] == COMPLETE


def _has_row(persona: Persona) -> bool:
    return not persona.has_claims or MopedUser.objects.filter(email=persona.email).exists()


def _account(persona: Persona) -> AdminGetUserResponseTypeDef | None:
    try:
        with translate_errors(UserNotFoundException=NotFoundError):
            return clients.cognito().admin_get_user(
                UserPoolId=settings.COGNITO_USER_POOL_ID, Username=persona.email
            )
    except NotFoundError:
        return None


def _create_account(persona: Persona) -> str:
    is_verified = persona.email_verified or persona.is_sso  # an employee's native account is verified
    with translate_errors():
        user = clients.cognito().admin_create_user(
            UserPoolId=settings.COGNITO_USER_POOL_ID,
            Username=persona.email,
            TemporaryPassword=PASSWORD,
            MessageAction="SUPPRESS",
            UserAttributes=[
                {"Name": "email", "Value": persona.email},
                {"Name": "email_verified", "Value": str(is_verified).lower()},
            ],
        )["User"]
    return user["Username"]


def _set_password(username: str) -> None:
    # Permanent, and the last step: it completes the account, so the next start completes an interrupted one.
    with translate_errors():
        clients.cognito().admin_set_user_password(
            UserPoolId=settings.COGNITO_USER_POOL_ID, Username=username, Password=PASSWORD, Permanent=True
        )


def _row(persona: Persona, username: str) -> MopedUser:
    columns = {
        "first_name": persona.first_name,
        "last_name": persona.last_name,
        "title": "Persona",
        "workgroup_id": persona.workgroup_id,
        "cognito_user_id": username,
        "roles": list(persona.roles),
        "is_coa_staff": is_city_address(persona.email),
        "is_deleted": False,
    }
    row, _ = MopedUser.objects.update_or_create(email=persona.email, defaults=columns)
    return row


def _claims(persona: Persona, username: str) -> HasuraClaims:
    return HasuraClaims.of(
        user_id=username,
        roles=persona.roles,
        database_id=persona.database_id,
        workgroup_id=persona.workgroup_id,
    )


def _grant(persona: Persona, claims: HasuraClaims | None) -> None:
    if claims is not None:
        claims_table.put(email=persona.email, claims=claims)
