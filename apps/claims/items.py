"""
Claims items: how the claims of a person are stored in DynamoDB.

Each lower-case address has one item. Its `claims` are encrypted. Other attributes have the ids in clear.
The Flask API writes the ids as text and its hook reads them as numbers, so both are read here. The
pre-token trigger and the check of current roles read items. Only apps.users writes them.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from django.conf import settings

from apps.claims.hasura import DEFAULT_ROLE, NO_CLAIMS, UNKNOWN_ID, HasuraClaims
from apps.claims.identity import normalize
from apps.core.aws import clients, secrets
from apps.core.aws.errors import StoreMissingError, translate_errors
from apps.core.errors import ConflictError, UpstreamError

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

KEY = "COGNITO_DYNAMO_SECRET_KEY"


class ClaimsChangedError(ConflictError):
    """Another writer has changed the claims item since it was read."""

    code = "claims_changed"
    message = "This account is being changed at this moment. Try again."
    field = "email"


class UnreadableItemError(UpstreamError):
    """None of our keys decrypts the item, or its content is not a person's claims."""

    code = "claims_unreadable"
    message = "What Moped may know of this account cannot be read. Tell its operators."


class StoredItem(NamedTuple):
    """The stored item of an address. It has no attributes if there is none."""

    email: str
    attributes: Mapping[str, Any]

    @property
    def ciphertext(self) -> str:
        """Return the encrypted claims, which differ between the versions of an item."""
        return self.text("claims")

    @property
    def claims(self) -> HasuraClaims | None:
        """
        Return the decrypted claims. Ids that they lack come from the other attributes.

        :return: None if there is no item, or a reservation, which names no account and grants nothing
        :raises UnreadableItemError: if it cannot be read
        """
        if not self.attributes:
            return None
        decrypted = _decrypt(self.ciphertext)
        # The attribute takes precedence over the ciphertext, as in the Flask API's hook.
        user_id = self.text("cognito_uuid") or decrypted.user_id
        if not user_id:
            return None
        return HasuraClaims(
            user_id=user_id,
            default_role=decrypted.default_role or DEFAULT_ROLE,
            allowed_roles=decrypted.allowed_roles,
            database_id=_known_id(decrypted.database_id, self.text("database_id")),
            workgroup_id=_known_id(decrypted.workgroup_id, self.text("workgroup_id")),
        )

    def is_written_as(self, claims: HasuraClaims) -> bool:
        """
        Return whether every reader of the item gets exactly these claims.

        The City's own hook does not use ids that other attributes have as text. It issues 0.

        :raises UnreadableItemError: if it cannot be read
        """
        if not self.attributes:
            return False
        return _decrypt(self.ciphertext) == claims and self.text("cognito_uuid") == claims.user_id

    def text(self, name: str) -> str:
        """Return an attribute's text, whether it was written as text or as a number."""
        value = self.attributes.get(name) or {}
        return str(value.get("S") or value.get("N") or "")


def get(email: str) -> StoredItem:
    """
    Return the stored item of an address.

    :raises UnavailableError: if the table cannot be reached
    """
    with translate_errors(ResourceNotFoundException=StoreMissingError):
        answer = clients.dynamodb().get_item(**_key(email), ConsistentRead=True)
        return StoredItem(normalize(email), answer.get("Item") or {})


def claims_of(email: str) -> HasuraClaims | None:
    """
    Return the claims of an address, or None if it has no item.

    :raises UnreadableItemError: if it has one that cannot be read
    :raises UnavailableError: if the table cannot be reached
    """
    return get(email).claims


def put(*, email: str, claims: HasuraClaims, expected: StoredItem | None = None) -> None:
    """
    Write the item of an address. With `expected`, write it only if that item is still stored.

    Each encryption of the same claims differs, so a ciphertext identifies one version of an item. A
    delayed write cannot overwrite a later one. Without an item, a reservation is written first, which
    grants nothing. A write that AWS carries out after the reservation was removed has no effect.

    :raises ClaimsChangedError: if another item is stored
    :raises UnavailableError: if the table cannot be reached. The item may be written nevertheless.
    """
    if expected and not expected.ciphertext:
        expected = _write(email, NO_CLAIMS, expected)
    _write(email, claims, expected)


def delete(email: str) -> None:
    """
    Delete the item of an address, if there is one. The trigger then denies every sign-in with this address.

    :raises UnavailableError: if the table cannot be reached
    """
    with translate_errors(ResourceNotFoundException=StoreMissingError):
        clients.dynamodb().delete_item(**_key(email))


def scan() -> Iterator[StoredItem]:
    """
    Yield all items in no order. Each page of the table is read when it is needed.

    :raises UnavailableError: if the table cannot be reached
    """
    scanner = clients.dynamodb().get_paginator("scan")
    pages = scanner.paginate(TableName=settings.CLAIMS_TABLE, ConsistentRead=True)
    with translate_errors(ResourceNotFoundException=StoreMissingError):
        for page in pages:
            for attributes in page["Items"]:
                yield StoredItem(str(attributes["user_id"]["S"]), attributes)


def encode(email: str, claims: HasuraClaims) -> StoredItem:
    """Return the item of a person, encrypted with the newest key, in the exact format of the Flask API."""
    attributes = {
        "user_id": {"S": normalize(email)},
        "claims": {"S": _keys().encrypt(msgspec.json.encode(claims)).decode()},
        "cognito_uuid": {"S": claims.user_id},
        "database_id": {"S": claims.database_id},
        "workgroup_id": {"S": claims.workgroup_id},
    }
    return StoredItem(normalize(email), attributes)


def _write(email: str, claims: HasuraClaims, expected: StoredItem | None) -> StoredItem:
    item = encode(email, claims)
    try:
        _put(item.attributes, _write_condition(expected))
    except ClaimsChangedError:
        # After a time-out botocore retries, and the first attempt may have written the item.
        if get(email).ciphertext != item.ciphertext:
            raise
    return item


def _put(attributes: Mapping[str, Any], condition: dict[str, Any]) -> None:
    with translate_errors(
        ConditionalCheckFailedException=ClaimsChangedError, ResourceNotFoundException=StoreMissingError
    ):
        clients.dynamodb().put_item(TableName=settings.CLAIMS_TABLE, Item=attributes, **condition)


def _write_condition(expected: StoredItem | None) -> dict[str, Any]:
    if expected is None:
        return {}
    if not expected.ciphertext:
        return {"ConditionExpression": "attribute_not_exists(user_id)"}
    return {
        "ConditionExpression": "claims = :seen",
        "ExpressionAttributeValues": {":seen": {"S": expected.ciphertext}},
    }


def _key(email: str) -> dict[str, Any]:
    return {"TableName": settings.CLAIMS_TABLE, "Key": {"user_id": {"S": normalize(email)}}}


def has_newest_key(ciphertext: str) -> bool:
    """Return whether claims are encrypted with the newest key."""
    from cryptography.fernet import InvalidToken  # noqa: PLC0415 (not needed until an item is read)

    newest = secrets.value(settings.CONFIGURATION_SECRET, KEY).partition(",")[0]
    try:
        _fernet(newest).decrypt(ciphertext)
    except InvalidToken:
        return False
    return True


def _decrypt(ciphertext: str) -> HasuraClaims:
    from cryptography.fernet import InvalidToken  # noqa: PLC0415 (not needed until an item is read)

    try:
        try:
            text = _keys().decrypt(ciphertext)
        except InvalidToken:  # the key is newer than our cache
            text = _keys(force_refresh=True).decrypt(ciphertext)
        return msgspec.json.decode(text, type=HasuraClaims)
    except (InvalidToken, msgspec.DecodeError) as error:
        raise UnreadableItemError from error


def _keys(*, force_refresh: bool = False) -> "MultiFernet":
    """Return the keys of the claims. The newest is the first and encrypts. All of them decrypt."""
    return _fernet(secrets.value(settings.CONFIGURATION_SECRET, KEY, force_refresh=force_refresh))


@lru_cache(maxsize=4)
def _fernet(keys_text: str) -> "MultiFernet":
    from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415 (not needed until an item is read)

    try:
        return MultiFernet([Fernet(key.strip()) for key in keys_text.split(",") if key.strip()])
    except ValueError as error:
        raise secrets.SecretError from error


def _known_id(*candidates: str) -> str:
    return next((value for value in candidates if value and value != UNKNOWN_ID), UNKNOWN_ID)
