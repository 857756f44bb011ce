from typing import Any

import pytest

from apps.claims import items as claims_items
from apps.claims.hasura import HasuraClaims
from apps.claims.items import ClaimsChangedError
from tests.users.stores import Stores

pytestmark = pytest.mark.emulator


def claims(*roles: str) -> HasuraClaims:
    return HasuraClaims.of(user_id="x", roles=roles, database_id=1, workgroup_id=1)


class TestPut:
    def test_stores_what_is_read_again_in_any_case(self, stores: Stores, email: str) -> None:
        claims_items.put(email=email.upper(), claims=claims("moped-editor"))

        assert claims_items.get(email).claims == claims("moped-editor")

    def test_never_overwrites_what_came_after_it_looked(self, stores: Stores, email: str) -> None:
        nothing = claims_items.get(email)
        claims_items.put(email=email, claims=claims("moped-admin"), instead_of=nothing)
        earlier_item = claims_items.get(email)
        claims_items.put(email=email, claims=claims("moped-viewer"), instead_of=earlier_item)

        for stale in (nothing, earlier_item):
            with pytest.raises(ClaimsChangedError):
                claims_items.put(email=email, claims=claims("moped-admin"), instead_of=stale)
        assert claims_items.get(email).claims == claims("moped-viewer")

    def test_knows_its_own_first_attempt(
        self, stores: Stores, email: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """boto3 sends a write again after a time-out, which may have been carried out."""
        put = claims_items._put

        def put_twice(*arguments: Any) -> None:
            put(*arguments)
            put(*arguments)

        monkeypatch.setattr(claims_items, "_put", put_twice)
        claims_items.put(email=email, claims=claims("moped-editor"), instead_of=claims_items.get(email))

        assert claims_items.get(email).claims == claims("moped-editor")

    def test_never_brings_back_what_was_removed(self, stores: Stores, email: str) -> None:
        claims_items.put(email=email, claims=claims("moped-admin"))
        earlier_item = claims_items.get(email)
        claims_items.delete(email)

        with pytest.raises(ClaimsChangedError):
            claims_items.put(email=email, claims=claims("moped-admin"), instead_of=earlier_item)
        assert claims_items.get(email).claims is None


class TestDelete:
    def test_is_content_with_nothing(self, stores: Stores, email: str) -> None:
        claims_items.delete(email)

        assert not claims_items.get(email).attributes
