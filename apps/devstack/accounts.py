"""Makes the personas: account, row, claims item. What is there already is left as it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet
from django.conf import settings

from apps.core import aws
from apps.core.claims import VIEWER, HasuraClaims
from apps.core.errors import NotFoundError
from apps.devstack.personas import PASSWORD

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
        if account is None:
            _finish(persona, _create_account(persona))
        elif account["UserStatus"] != COMPLETE:
            _finish(persona, account["Username"])


def _account(persona: Persona) -> AdminGetUserResponseTypeDef | None:
    try:
        with aws.translating(UserNotFoundException=NotFoundError):
            return aws.cognito().admin_get_user(
                UserPoolId=settings.COGNITO_USER_POOL_ID, Username=persona.email
            )
    except NotFoundError:
        return None


def _create_account(persona: Persona) -> str:
    verified = persona.email_verified or persona.is_sso  # an employee's native account is verified
    with aws.translating():
        user = aws.cognito().admin_create_user(
            UserPoolId=settings.COGNITO_USER_POOL_ID,
            Username=persona.email,
            TemporaryPassword=PASSWORD,
            MessageAction="SUPPRESS",
            UserAttributes=[
                {"Name": "email", "Value": persona.email},
                {"Name": "email_verified", "Value": str(verified).lower()},
            ],
        )["User"]
    return user["Username"]


def _finish(persona: Persona, username: str) -> None:
    if persona.has_claims:
        _put_claims(persona, username)
    # The permanent password last: it completes the account, so a start cut short is mended by the next.
    with aws.translating():
        aws.cognito().admin_set_user_password(
            UserPoolId=settings.COGNITO_USER_POOL_ID, Username=username, Password=PASSWORD, Permanent=True
        )


def _put_claims(persona: Persona, username: str) -> None:
    claims = HasuraClaims(
        user_id=username,
        default_role=VIEWER,
        allowed_roles=persona.roles,
        database_id=str(persona.database_id),
        workgroup_id=str(persona.workgroup_id),
    )
    with aws.translating():
        secret = aws.secrets_manager().get_secret_value(SecretId=settings.CONFIGURATION_SECRET)[
            "SecretString"
        ]
        newest = json.loads(secret)["COGNITO_DYNAMO_SECRET_KEY"].split(",")[0]
        aws.dynamodb().put_item(
            TableName=settings.CLAIMS_TABLE,
            Item={
                "user_id": {"S": persona.email.lower()},
                "claims": {"S": Fernet(newest).encrypt(json.dumps(claims.as_dict()).encode()).decode()},
                "cognito_uuid": {"S": username},
                "database_id": {"S": claims.database_id},
                "workgroup_id": {"S": claims.workgroup_id},
            },
        )
