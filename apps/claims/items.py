"""
Claims items: what DynamoDB keeps of a person, how to read it and how to write it.

One item for each lower-case address. Its `claims` are encrypted. The ids are also beside them in clear.
The Flask API writes these as text and its hook reads them as numbers, so both are read here. The
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
    """The claims item is no longer the one that was read: another writer was faster."""

    code = "claims_changed"
    message = "This account is being changed at this moment. Try again."
    field = "email"


class UnreadableItemError(UpstreamError):
    """The item is there, and none of our keys opens it or what is inside is not a person's claims."""

    code = "claims_unreadable"
    message = "What Moped may know of this account cannot be read. Tell its operators."


class StoredItem(NamedTuple):
    """What is stored for an address, with no attributes if nothing is."""

    email: str
    attributes: Mapping[str, Any]

    @property
    def cipher(self) -> str:
        """Return the encrypted claims, which tell one version of an item from another."""
        return self.text("claims")

    @property
    def claims(self) -> HasuraClaims | None:
        """
        Return the claims in it, the ids filled in from beside the cipher where it lacks them.

        :return: None if nothing is stored, or a reservation, which names no account and grants nothing
        :raises UnreadableItemError: if it cannot be read
        """
        if not self.attributes:
            return None
        inside = _decrypt(self.cipher)
        # The Flask API's hook trusts the attribute over the cipher, and so do we.
        user_id = self.text("cognito_uuid") or inside.user_id
        if not user_id:
            return None
        return HasuraClaims(
            user_id=user_id,
            default_role=inside.default_role or DEFAULT_ROLE,
            allowed_roles=inside.allowed_roles,
            database_id=_known_id(inside.database_id, self.text("database_id")),
            workgroup_id=_known_id(inside.workgroup_id, self.text("workgroup_id")),
        )

    def is_written_as(self, claims: HasuraClaims) -> bool:
        """
        Return whether every reader finds exactly these claims in it.

        The City's own hook does not fill in ids that stand beside the cipher as text. It issues 0.

        :raises UnreadableItemError: if it cannot be read
        """
        if not self.attributes:
            return False
        return _decrypt(self.cipher) == claims and self.text("cognito_uuid") == claims.user_id

    def text(self, name: str) -> str:
        """Return an attribute's text, whether it was written as text or as a number."""
        value = self.attributes.get(name) or {}
        return str(value.get("S") or value.get("N") or "")


def get(email: str) -> StoredItem:
    """
    Return what is stored for an address.

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


def put(*, email: str, claims: HasuraClaims, instead_of: StoredItem | None = None) -> None:
    """
    Write the item of an address; with `instead_of` only if that is still what is stored there.

    Each encryption of the same claims differs, so a cipher names one version of an item: a delayed
    write cannot overwrite what came after. Where nothing is stored, a reservation comes first, which
    grants nothing. A write that AWS carries out after the reservation was removed has no effect.

    :raises ClaimsChangedError: if something else is stored by now
    :raises UnavailableError: if the table cannot be reached; the item may be written all the same
    """
    if instead_of and not instead_of.cipher:
        instead_of = _write(email, NO_CLAIMS, instead_of)
    _write(email, claims, instead_of)


def delete(email: str) -> None:
    """
    Delete the item of an address, if there is one: the trigger then denies every sign-in with it.

    :raises UnavailableError: if the table cannot be reached
    """
    with translate_errors(ResourceNotFoundException=StoreMissingError):
        clients.dynamodb().delete_item(**_key(email))


def scan() -> Iterator[StoredItem]:
    """
    Yield every item, a page at a time, in no order.

    :raises UnavailableError: if the table cannot be reached
    """
    scanner = clients.dynamodb().get_paginator("scan")
    pages = scanner.paginate(TableName=settings.CLAIMS_TABLE, ConsistentRead=True)
    with translate_errors(ResourceNotFoundException=StoreMissingError):
        for page in pages:
            for attributes in page["Items"]:
                yield StoredItem(str(attributes["user_id"]["S"]), attributes)


def encode(email: str, claims: HasuraClaims) -> StoredItem:
    """Return the item of a person, encrypted with the newest key, byte for byte as the Flask API does."""
    attributes = {
        "user_id": {"S": normalize(email)},
        "claims": {"S": _keys().encrypt(msgspec.json.encode(claims)).decode()},
        "cognito_uuid": {"S": claims.user_id},
        "database_id": {"S": claims.database_id},
        "workgroup_id": {"S": claims.workgroup_id},
    }
    return StoredItem(normalize(email), attributes)


def _write(email: str, claims: HasuraClaims, instead_of: StoredItem | None) -> StoredItem:
    item = encode(email, claims)
    try:
        _put(item.attributes, _unchanged(instead_of))
    except ClaimsChangedError:
        # boto3 tries again after a time-out, and may then be told of its own first attempt.
        if get(email).cipher != item.cipher:
            raise
    return item


def _put(attributes: Mapping[str, Any], condition: dict[str, Any]) -> None:
    with translate_errors(
        ConditionalCheckFailedException=ClaimsChangedError, ResourceNotFoundException=StoreMissingError
    ):
        clients.dynamodb().put_item(TableName=settings.CLAIMS_TABLE, Item=attributes, **condition)


def _unchanged(expected_item: StoredItem | None) -> dict[str, Any]:
    if expected_item is None:
        return {}
    if not expected_item.cipher:
        return {"ConditionExpression": "attribute_not_exists(user_id)"}
    return {
        "ConditionExpression": "claims = :seen",
        "ExpressionAttributeValues": {":seen": {"S": expected_item.cipher}},
    }


def _key(email: str) -> dict[str, Any]:
    return {"TableName": settings.CLAIMS_TABLE, "Key": {"user_id": {"S": normalize(email)}}}


def has_newest_key(cipher: str) -> bool:
    """Return whether claims are encrypted with the newest key."""
    from cryptography.fernet import InvalidToken  # noqa: PLC0415 (not needed until an item is read)

    newest = secrets.value(settings.CONFIGURATION_SECRET, KEY).partition(",")[0]
    try:
        _fernet(newest).decrypt(cipher)
    except InvalidToken:
        return False
    return True


def _decrypt(token: str) -> HasuraClaims:
    from cryptography.fernet import InvalidToken  # noqa: PLC0415 (not needed until an item is read)

    try:
        try:
            text = _keys().decrypt(token)
        except InvalidToken:  # written with a key that is newer than our cache
            text = _keys(force_refresh=True).decrypt(token)
        return msgspec.json.decode(text, type=HasuraClaims)
    except (InvalidToken, msgspec.DecodeError) as error:
        raise UnreadableItemError from error


def _keys(*, force_refresh: bool = False) -> "MultiFernet":
    """Return the keys of the claims, newest first: it encrypts, all of them decrypt."""
    return _fernet(secrets.value(settings.CONFIGURATION_SECRET, KEY, force_refresh=force_refresh))


@lru_cache(maxsize=4)
def _fernet(keys_text: str) -> "MultiFernet":
    from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415 (same)

    try:
        return MultiFernet([Fernet(key.strip()) for key in keys_text.split(",") if key.strip()])
    except ValueError as error:
        raise secrets.SecretError from error


def _known_id(inside: str, beside: str) -> str:
    return next((value for value in (inside, beside) if value and value != UNKNOWN_ID), UNKNOWN_ID)
