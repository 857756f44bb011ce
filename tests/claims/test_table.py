import pytest

from apps.claims import table as claims_table
from apps.claims.errors import ClaimsChangedError
from apps.claims.hasura import HasuraClaims
from tests.users.stores import Stores

pytestmark = pytest.mark.emulator


def claims(*roles: str) -> HasuraClaims:
    return HasuraClaims.of(user_id="x", roles=roles, database_id=1, workgroup_id=1)


class TestPut:
    def test_stores_what_is_read_again_in_any_case(self, stores: Stores, email: str) -> None:
        claims_table.put(email=email.upper(), claims=claims("moped-editor"))

        assert claims_table.get(email).claims == claims("moped-editor")

    def test_never_overwrites_what_came_after_it_looked(self, stores: Stores, email: str) -> None:
        nothing = claims_table.get(email)
        claims_table.put(email=email, claims=claims("moped-admin"), instead_of=nothing)
        earlier_item = claims_table.get(email)
        claims_table.put(email=email, claims=claims("moped-viewer"), instead_of=earlier_item)

        for stale in (nothing, earlier_item):
            with pytest.raises(ClaimsChangedError):
                claims_table.put(email=email, claims=claims("moped-admin"), instead_of=stale)
        assert claims_table.get(email).claims == claims("moped-viewer")

    def test_never_brings_back_what_was_removed(self, stores: Stores, email: str) -> None:
        claims_table.put(email=email, claims=claims("moped-admin"))
        earlier_item = claims_table.get(email)
        claims_table.delete(email)

        with pytest.raises(ClaimsChangedError):
            claims_table.put(email=email, claims=claims("moped-admin"), instead_of=earlier_item)
        assert claims_table.get(email).claims is None


class TestDelete:
    def test_is_content_with_nothing(self, stores: Stores, email: str) -> None:
        claims_table.delete(email)

        assert claims_table.get(email).item is None
