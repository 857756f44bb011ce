"""Rights end when they end, not when the token does."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.auth import current_roles
from apps.claims import items as claims_items
from apps.claims.hasura import CLAIMS_NAMESPACE, HasuraClaims
from apps.core.errors import UnavailableError
from tests.conftest import Caller
from tests.support.clock import Clock
from tests.support.token_factory import hasura_claim

ADDRESS = "jane.doe@austintexas.gov"


class Table:
    """A claims table that can be changed, and can go away."""

    def __init__(self) -> None:
        self.roles: list[str] | None = ["moped-admin", "moped-editor"]
        self.away = False
        self.asked: list[str] = []

    def claims_of(self, email: str) -> HasuraClaims | None:
        self.asked.append(email)
        if self.away:
            raise UnavailableError
        if self.roles is None:
            return None
        return HasuraClaims.of(user_id="x", roles=self.roles, database_id=1, workgroup_id=1)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    table = Table()
    monkeypatch.setattr(claims_items, "claims_of", table.claims_of)
    return table


@pytest.fixture
def editor(clock: Clock, calling: Caller, table: Table) -> APIClient:
    """A caller whose token says admin and editor until long after every test."""
    client = calling(
        exp=4_000_000_000,
        email=ADDRESS,
        **{CLAIMS_NAMESPACE: hasura_claim("moped-admin", "moped-editor")},
    )
    current_roles.invalidate()
    return client


def looks(client: APIClient) -> Any:
    """Ask for something that needs a role; the answer itself is an error, past the permissions."""
    return client.get("/users/?limit=0")


def changes(client: APIClient) -> Any:
    return client.post("/users/", {}, format="json")


LET_IN = 400  # both requests are malformed, so 400 means that permission was given


class TestRights:
    def test_cost_one_read_a_minute(self, editor: APIClient, table: Table, clock: Clock) -> None:
        for _ in range(5):
            assert looks(editor).status_code == LET_IN
            assert changes(editor).status_code == LET_IN
            clock.passes(11)
        assert len(table.asked) == 1

        clock.passes(6)
        looks(editor)
        assert len(table.asked) == 2

    @pytest.mark.parametrize("roles", [None, [], ["moped-viewer"]])
    def test_end_within_a_minute(
        self, editor: APIClient, table: Table, clock: Clock, roles: list[str] | None
    ) -> None:
        assert changes(editor).status_code == LET_IN
        table.roles = roles

        clock.passes(60)

        assert changes(editor).status_code == 403

    def test_are_what_token_and_item_share(self, calling: Caller, editor: APIClient, table: Table) -> None:
        viewer = calling(email=ADDRESS, **{CLAIMS_NAMESPACE: hasura_claim("moped-viewer")})
        assert changes(viewer).status_code == 403  # an admin by the item alone
        current_roles.invalidate()
        table.roles = ["moped-editor", "moped-viewer"]

        assert looks(editor).status_code == LET_IN  # an editor by both
        assert changes(editor).status_code == 403  # an admin by the token alone

    def test_are_not_read_for_the_current_user_page(self, editor: APIClient, table: Table) -> None:
        table.away = True

        assert editor.get("/auth/current_user").status_code == 200
        assert table.asked == []

    def test_of_single_sign_on_are_those_of_the_person(self, calling: Caller, table: Table) -> None:
        sso = calling(
            email="ALIAS@austintexas.gov",
            email_verified=False,
            **{
                "cognito:username": "AzureAD_Jane.Doe@AustinTexas.gov",
                CLAIMS_NAMESPACE: hasura_claim("moped-admin"),
            },
        )
        current_roles.invalidate()

        assert changes(sso).status_code == LET_IN
        assert table.asked == [ADDRESS]


class TestWhileTheTableIsAway:
    def test_readers_may_continue_for_five_minutes(
        self, editor: APIClient, table: Table, clock: Clock
    ) -> None:
        looks(editor)
        table.away = True

        clock.passes(359)
        assert looks(editor).status_code == LET_IN
        clock.passes(2)
        assert looks(editor).status_code == 503

    @pytest.mark.parametrize(
        "write", [changes, lambda client: client.get("/files/request-signature")], ids=["change", "upload"]
    )
    def test_writes_need_known_roles(
        self, editor: APIClient, table: Table, clock: Clock, write: Callable[[APIClient], Any]
    ) -> None:
        assert write(editor).status_code == LET_IN
        table.away = True

        clock.passes(61)

        response = write(editor)
        assert (response.status_code, response.json()["code"]) == (503, "rights_unknown")
        assert response.headers["Retry-After"]
        assert looks(editor).status_code == LET_IN

    def test_not_every_request_waits_for_it(self, editor: APIClient, table: Table, clock: Clock) -> None:
        table.away = True
        for response in (looks(editor), changes(editor), looks(editor)):
            assert (response.status_code, response.json()["code"]) == (503, "rights_unknown")
            assert response.headers["Retry-After"]
        assert len(table.asked) == 1

        clock.passes(5)
        table.away = False
        assert looks(editor).status_code == LET_IN
