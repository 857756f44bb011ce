"""
The pre-token trigger: Cognito calls it before it issues a token, and it adds the Hasura claims.

The event is the V1 event of Amazon's pre token generation trigger. It can change only the ID
token:
https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
After an exception, Cognito refuses the sign-in or the refresh and shows the text to the user.
"""

import logging
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from apps.claims import items
from apps.claims.hasura import CLAIMS_NAMESPACE, HasuraClaims
from apps.claims.identity import claims_address, sso_address
from apps.core import deadline
from apps.core.errors import UpstreamError

logger = logging.getLogger(__name__)

TRIGGER_SOURCES = "TokenGeneration_"
DEADLINE_SECONDS = 4  # Cognito waits for five, and shows no reason after a time-out


class SignInDeniedError(Exception):
    """Cognito shows the text to the person who signs in. The code is in our log."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """
    Return Cognito's event with the person's claims in its response.

    :raises SignInDeniedError: if the person has no claims, or they cannot be read
    """
    if not str(event.get("triggerSource", "")).startswith(TRIGGER_SOURCES):
        return event  # a warming ping, or another trigger
    username = str(event.get("userName", ""))
    try:
        claims = _read_claims(_address(event, username))
        _require_same_account(_uuid(username), claims)
    except SignInDeniedError as error:
        # Only a UUID is logged: the user name of a single sign-on account contains an address.
        logger.warning("sign_in_denied", extra={"code": error.code, "user": _uuid(username)})
        raise
    event["response"] = {
        "claimsOverrideDetails": {"claimsToAddOrOverride": {CLAIMS_NAMESPACE: claims.as_json()}}
    }
    return event


def _read_claims(email: str) -> HasuraClaims:
    try:
        with deadline.limit(DEADLINE_SECONDS):
            claims = items.claims_of(email)
    except items.UnreadableItemError as error:
        raise SignInDeniedError(error.code, "Your Moped account cannot be read. Tell an admin.") from error
    except UpstreamError as error:
        raise SignInDeniedError(error.code, "Moped cannot be reached. Try again in a moment.") from error
    if claims is None:
        raise SignInDeniedError("no_claims", "You have no Moped account, or it was deactivated.")
    return claims


def _require_same_account(username: str, claims: HasuraClaims) -> None:
    """
    Deny a sign-in with an account that has the address of another user.

    People may change the address of their own account. In a pool that distinguishes upper and lower
    case they may take a colleague's address in another spelling. The item names its account.
    """
    if username and claims.user_id and username != claims.user_id.lower():
        raise SignInDeniedError("another_account", "This address belongs to another account. Tell an admin.")


def _address(event: Mapping[str, Any], username: str) -> str:
    """
    Return the address whose item counts for this account.

    The user name of a native account is a UUID. That of a single sign-on account has the prefix of
    the City's provider, and the rest is an address that the City has verified.

    :raises SignInDeniedError: for other accounts, and for native ones without an address
    """
    if not _uuid(username) and not sso_address(username):
        raise SignInDeniedError(
            "account_kind_unknown", "Moped does not know this kind of account. Tell an admin."
        )
    email = event.get("request", {}).get("userAttributes", {}).get("email") or ""
    address = claims_address(username=username, email=email)
    if not address:
        raise SignInDeniedError("no_email", "Your account has no email address. Tell an admin.")
    return address


def _uuid(username: str) -> str:
    try:
        return str(UUID(username))
    except ValueError:
        return ""
