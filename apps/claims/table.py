"""The claims table in DynamoDB: the only writer of claims items."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings

from apps.claims import items
from apps.claims.errors import ClaimsChangedError
from apps.claims.hasura import NO_CLAIMS, HasuraClaims
from apps.claims.identity import normalize
from apps.core.aws import clients
from apps.core.aws.errors import StoreMissingError, translate_errors

if TYPE_CHECKING:
    from apps.claims.items import Item

ANSWERS_PER_PAGE = 200


class StoredItem(NamedTuple):
    """What is stored for an address; the cipher ("" for nothing) tells one version from another."""

    email: str
    cipher: str
    item: Item | None

    @property
    def claims(self) -> HasuraClaims | None:
        """
        Return the claims in it.

        :raises UnreadableItemError: if it cannot be read
        """
        return None if self.item is None else items.decode(self.item)

    def is_written_as(self, claims: HasuraClaims) -> bool:
        """
        Return whether every reader finds exactly these claims in it.

        :raises UnreadableItemError: if it cannot be read
        """
        return self.item is not None and items.is_written_as(self.item, claims)


def get(email: str) -> StoredItem:
    """
    Return what is stored for an address.

    :raises UnavailableError: if the table cannot be reached
    """
    item = items.fetch(email)
    return _stored(item) if item else StoredItem(normalize(email), "", None)


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
        clients.dynamodb().delete_item(
            TableName=settings.CLAIMS_TABLE, Key={"user_id": {"S": normalize(email)}}
        )


def scan() -> Iterator[StoredItem]:
    """
    Yield every item, a page at a time, in no order.

    :raises UnavailableError: if the table cannot be reached
    """
    pages = (
        clients.dynamodb()
        .get_paginator("scan")
        .paginate(
            TableName=settings.CLAIMS_TABLE,
            ConsistentRead=True,
            PaginationConfig={"PageSize": ANSWERS_PER_PAGE},
        )
    )
    with translate_errors(ResourceNotFoundException=StoreMissingError):
        for page in pages:
            yield from map(_stored, page["Items"])


def _write(email: str, claims: HasuraClaims, instead_of: StoredItem | None) -> StoredItem:
    item = items.encode(email, claims)
    new_item = _stored(item)
    try:
        _put(item, _unchanged(instead_of))
    except ClaimsChangedError:
        # boto3 tries again after a time-out, and may then be told of its own first attempt.
        if get(email).cipher != new_item.cipher:
            raise
    return new_item


def _put(item: dict[str, Any], condition: dict[str, Any]) -> None:
    with translate_errors(
        ConditionalCheckFailedException=ClaimsChangedError, ResourceNotFoundException=StoreMissingError
    ):
        clients.dynamodb().put_item(TableName=settings.CLAIMS_TABLE, Item=item, **condition)


def _unchanged(expected_item: StoredItem | None) -> dict[str, Any]:
    if expected_item is None:
        return {}
    if not expected_item.cipher:
        return {"ConditionExpression": "attribute_not_exists(user_id)"}
    return {
        "ConditionExpression": "claims = :seen",
        "ExpressionAttributeValues": {":seen": {"S": expected_item.cipher}},
    }


def _stored(item: Item) -> StoredItem:
    return StoredItem(items.attribute(item, "user_id"), items.attribute(item, "claims"), item)
