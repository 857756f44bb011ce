"""
A claims item: what DynamoDB keeps of a person, and how to read it.

One item for each lower-case address. Its `claims` are encrypted. The ids are also beside them in clear.
The Flask API writes these as text and its hook reads them as numbers, so both are read here. The
pre-token trigger and the check of current roles read items. Only apps.users writes them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
from django.conf import settings

from apps.claims.hasura import DEFAULT_ROLE, UNKNOWN_ID, HasuraClaims
from apps.claims.identity import normalize
from apps.core.aws import clients, secrets
from apps.core.aws.errors import translate_errors
from apps.core.errors import UpstreamError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.fernet import MultiFernet
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = Mapping[str, AttributeValueTypeDef]

KEY = "COGNITO_DYNAMO_SECRET_KEY"


class UnreadableItemError(UpstreamError):
    """The item is there, and none of our keys opens it or what is inside is not a person's claims."""

    code = "claims_unreadable"
    message = "What Moped may know of this account cannot be read. Tell its operators."


class TableMissingError(UpstreamError):
    """There is no claims table of that name. Only the operators can correct that."""

    code = "claims_table_missing"
    message = "This service is not set up completely. Tell its operators."


def fetch(email: str) -> Item | None:
    """
    Return the item of an address as it is stored, or None if there is none.

    :raises UnavailableError: if the table cannot be reached
    """
    with translate_errors(ResourceNotFoundException=TableMissingError):
        answer = clients.dynamodb().get_item(
            TableName=settings.CLAIMS_TABLE, Key={"user_id": {"S": normalize(email)}}, ConsistentRead=True
        )
        return answer.get("Item")


def claims_of(email: str) -> HasuraClaims | None:
    """
    Return the claims of an address, or None if it has no item.

    :raises UnreadableItemError: if it has one that cannot be read
    :raises UnavailableError: if the table cannot be reached
    """
    item = fetch(email)
    return None if item is None else decode(item)


def decode(item: Item) -> HasuraClaims | None:
    """
    Return the claims in an item, the ids filled in from beside the cipher where it lacks them.

    :return: None for a reservation, which names no account and grants nothing
    :raises UnreadableItemError: if it cannot be read
    """
    inside = _inside(item)
    if not (attribute(item, "cognito_uuid") or inside.user_id):
        return None
    return HasuraClaims(
        # The Flask API's hook trusts the attribute over the cipher, and so do we.
        user_id=attribute(item, "cognito_uuid") or inside.user_id,
        default_role=inside.default_role or DEFAULT_ROLE,
        allowed_roles=inside.allowed_roles,
        database_id=_known(inside.database_id, attribute(item, "database_id")),
        workgroup_id=_known(inside.workgroup_id, attribute(item, "workgroup_id")),
    )


def is_written_as(item: Item, claims: HasuraClaims) -> bool:
    """
    Return whether every reader finds exactly these claims in an item.

    The City's own hook does not fill in ids that stand beside the cipher as text. It issues 0.

    :raises UnreadableItemError: if it cannot be read
    """
    return _inside(item) == claims and attribute(item, "cognito_uuid") == claims.user_id


def encode(email: str, claims: HasuraClaims) -> dict[str, AttributeValueTypeDef]:
    """Return the item of a person, encrypted with the newest key, byte for byte as the Flask API does."""
    return {
        "user_id": {"S": normalize(email)},
        "claims": {"S": keys().encrypt(msgspec.json.encode(claims)).decode()},
        "cognito_uuid": {"S": claims.user_id},
        "database_id": {"S": claims.database_id},
        "workgroup_id": {"S": claims.workgroup_id},
    }


def attribute(item: Item, name: str) -> str:
    """Return an attribute's text, whether it was written as text or as a number."""
    value: Mapping[str, Any] = item.get(name) or {}
    return str(value.get("S") or value.get("N") or "")


def keys(*, doubted: bool = False) -> MultiFernet:
    """Return the keys of the claims, newest first: it encrypts, all of them decrypt."""
    return _fernet(secrets.value(settings.CONFIGURATION_SECRET, KEY, doubted=doubted))


def has_newest_key(token: str) -> bool:
    """Return whether claims are encrypted with the newest key."""
    from cryptography.fernet import InvalidToken  # noqa: PLC0415 (not needed until an item is read)

    newest = secrets.value(settings.CONFIGURATION_SECRET, KEY).partition(",")[0]
    try:
        _fernet(newest).decrypt(token)
    except InvalidToken:
        return False
    return True


def _inside(item: Item) -> HasuraClaims:
    try:
        return msgspec.json.decode(_decrypt(attribute(item, "claims")), type=HasuraClaims)
    except msgspec.DecodeError as error:
        raise UnreadableItemError from error


def _decrypt(token: str) -> bytes:
    from cryptography.fernet import InvalidToken  # noqa: PLC0415 (not needed until an item is read)

    try:
        return keys().decrypt(token)
    except InvalidToken:
        pass
    try:
        return keys(doubted=True).decrypt(token)  # written with a key that is newer than our cache
    except InvalidToken as error:
        raise UnreadableItemError from error


@lru_cache(maxsize=4)
def _fernet(keys_text: str) -> MultiFernet:
    from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415 (same)

    try:
        return MultiFernet([Fernet(key.strip()) for key in keys_text.split(",") if key.strip()])
    except ValueError as error:
        raise secrets.SecretError from error


def _known(inside: str, beside: str) -> str:
    return next((value for value in (inside, beside) if value and value != UNKNOWN_ID), UNKNOWN_ID)
