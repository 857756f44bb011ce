"""We read items of the Flask API, and its hook reads ours."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from cryptography.fernet import Fernet

from apps.claims import items as claims_items
from apps.claims.hasura import HasuraClaims
from apps.claims.items import ClaimsChangedError
from apps.core.aws import secrets
from tests.users.stores import Stores

UUID = "11111111-1111-4111-8111-111111111111"
CLAIMS = HasuraClaims.of(user_id=UUID, roles=["moped-editor"], database_id=77, workgroup_id=3)
INSIDE = {
    "x-hasura-user-id": UUID,
    "x-hasura-default-role": "moped-viewer",
    "x-hasura-allowed-roles": ["moped-editor"],
    "x-hasura-user-db-id": "77",
    "x-hasura-user-wg-id": "3",
}
OLD_KEY, NEW_KEY = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def listed_keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Keys as the secret lists them; change the list to rotate."""
    secret_keys = [OLD_KEY]
    monkeypatch.setattr(secrets, "value", lambda name, key, *, force_refresh=False: ",".join(secret_keys))
    return secret_keys  # type: ignore[return-value]


def written_by_flask_api(**changes: Any) -> dict[str, Any]:
    cipher = Fernet(OLD_KEY).encrypt(json.dumps(INSIDE).encode()).decode()
    item = {
        "user_id": {"S": "jane.doe@austintexas.gov"},
        "claims": {"S": cipher},
        "cognito_uuid": {"S": UUID},
        "database_id": {"S": "77"},
        "workgroup_id": {"S": "3"},
    }
    return {name: value for name, value in (item | changes).items() if value is not None}


def sealed(**inside: Any) -> dict[str, str]:
    members = {name: value for name, value in (INSIDE | inside).items() if value is not None}
    return {"S": Fernet(OLD_KEY).encrypt(json.dumps(members).encode()).decode()}


def read_by_citys_hook(item: Mapping[str, Any], key: str) -> str:
    """Restate what the City's hook does with an item."""
    claims = json.loads(Fernet(key.encode()).decrypt(item["claims"]["S"].encode()).decode())
    claims["x-hasura-user-id"] = item["cognito_uuid"]["S"]
    for name, attribute in (
        ("x-hasura-user-db-id", "database_id"),
        ("x-hasura-user-wg-id", "workgroup_id"),
    ):
        if name not in claims:
            claims[name] = item[attribute]["N"]
    return json.dumps(claims)


def read(attributes: dict[str, Any]) -> HasuraClaims | None:
    return claims_items.StoredItem("jane.doe@austintexas.gov", attributes).claims


@pytest.mark.usefixtures("listed_keys")
class TestDecode:
    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"database_id": {"N": "77"}, "workgroup_id": {"N": "3"}},
            {"claims": sealed(**{"x-hasura-user-db-id": None, "x-hasura-user-wg-id": None})},
            {"claims": sealed(**{"x-hasura-user-db-id": "0"})},
            {"database_id": None, "workgroup_id": None},
            {"claims": sealed(**{"x-hasura-user-id": "another"})},
        ],
        ids=["text ids", "number ids", "ids outside", "an id reset to 0", "ids inside", "the outer id wins"],
    )
    def test_reads_what_the_flask_api_wrote(self, changes: dict[str, Any]) -> None:
        assert read(written_by_flask_api(**changes)) == CLAIMS

    @pytest.mark.parametrize(
        "claims",
        [
            {"S": Fernet(NEW_KEY).encrypt(b"{}").decode()},
            {"S": "gibberish"},
            None,
            {"S": Fernet(OLD_KEY).encrypt(b"[]").decode()},
            sealed(**{"x-hasura-allowed-roles": "moped-admin"}),
        ],
        ids=["foreign key", "no cipher", "no claims", "not claims", "roles that are no list"],
    )
    def test_refuses_what_it_cannot_read(self, claims: Any) -> None:
        with pytest.raises(claims_items.UnreadableItemError):
            read(written_by_flask_api(claims=claims))


class TestEncode:
    def test_writes_what_the_citys_hook_reads(self, listed_keys: list[str]) -> None:
        item = claims_items.encode("Jane.Doe@AustinTexas.gov", CLAIMS).attributes

        assert json.loads(read_by_citys_hook(item, OLD_KEY)) == INSIDE
        assert {**item, "claims": None} == written_by_flask_api() | {"claims": None}

    def test_uses_the_newest_key_and_reads_with_all(self, listed_keys: list[str]) -> None:
        before = claims_items.encode("jane.doe@austintexas.gov", CLAIMS)
        listed_keys.insert(0, NEW_KEY)

        after = claims_items.encode("jane.doe@austintexas.gov", CLAIMS)

        assert json.loads(read_by_citys_hook(after.attributes, NEW_KEY)) == INSIDE
        assert before.claims == after.claims == CLAIMS


def claims(*roles: str) -> HasuraClaims:
    return HasuraClaims.of(user_id="x", roles=roles, database_id=1, workgroup_id=1)


@pytest.mark.emulator
class TestPut:
    def test_stores_what_is_read_again_in_any_case(self, stores: Stores, email: str) -> None:
        claims_items.put(email=email.upper(), claims=claims("moped-editor"))

        assert claims_items.get(email).claims == claims("moped-editor")

    def test_never_overwrites_what_came_after_it_looked(self, stores: Stores, email: str) -> None:
        nothing = claims_items.get(email)
        claims_items.put(email=email, claims=claims("moped-admin"), expected=nothing)
        earlier_item = claims_items.get(email)
        claims_items.put(email=email, claims=claims("moped-viewer"), expected=earlier_item)

        for stale in (nothing, earlier_item):
            with pytest.raises(ClaimsChangedError):
                claims_items.put(email=email, claims=claims("moped-admin"), expected=stale)
        assert claims_items.get(email).claims == claims("moped-viewer")

    def test_never_brings_back_what_was_removed(self, stores: Stores, email: str) -> None:
        claims_items.put(email=email, claims=claims("moped-admin"))
        earlier_item = claims_items.get(email)
        for _ in range(2):  # the second time there is nothing
            claims_items.delete(email)

        with pytest.raises(ClaimsChangedError):
            claims_items.put(email=email, claims=claims("moped-admin"), expected=earlier_item)
        assert claims_items.get(email).claims is None

    def test_knows_its_own_first_attempt(
        self, stores: Stores, email: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """boto3 sends a write again after a time-out, which may have been carried out."""
        put = claims_items._put

        def put_twice(*arguments: Any) -> None:
            put(*arguments)
            put(*arguments)

        monkeypatch.setattr(claims_items, "_put", put_twice)
        claims_items.put(email=email, claims=claims("moped-editor"), expected=claims_items.get(email))

        assert claims_items.get(email).claims == claims("moped-editor")
