"""Every limit, from both sides."""

import itertools
import json
from typing import Any

import pytest

from apps.auth.callers import CognitoUser
from apps.auth.tokens import verifier
from apps.auth.tokens.errors import (
    ClaimsInvalidError,
    TokenExpiredError,
    TokenMalformedError,
    TokenNotYetValidError,
)
from apps.claims import hasura
from tests.auth.signing import HASURA, compact, id_payload, key
from tests.support.clock import Clock

pytestmark = pytest.mark.usefixtures("publisher")

ROLES = "x-hasura-allowed-roles"
END_OF_9999 = 253_402_300_799


def verified(**changes: Any) -> CognitoUser:
    return verifier.verify(key().sign(id_payload(**changes)))


class TestTimes:
    def test_exp_must_lie_ahead(self, clock: Clock) -> None:
        assert verified(exp=clock.wall + 1)
        with pytest.raises(TokenExpiredError):
            verified(exp=clock.wall)

    def test_exp_ends_a_token_that_was_verified_before(self, clock: Clock) -> None:
        text = key().sign(id_payload(exp=clock.wall + 1))
        assert verifier.verify(text)
        for _ in range(2):  # in that very second, and ever after
            clock.passes(1)
            with pytest.raises(TokenExpiredError):
                verifier.verify(text)

    @pytest.mark.parametrize("name", ["iat", "nbf"])
    def test_iat_and_nbf_may_lie_30_seconds_ahead(self, clock: Clock, name: str) -> None:
        assert verified(**{name: clock.wall + 30})
        with pytest.raises(TokenNotYetValidError):
            verified(**{name: clock.wall + 31})

    def test_lie_between_1970_and_the_year_10000(self) -> None:
        assert verified(auth_time=0, exp=END_OF_9999)
        for changes in ({"auth_time": -1}, {"exp": END_OF_9999 + 1}):
            with pytest.raises(ClaimsInvalidError):
                verified(**changes)


class TestSizes:
    @staticmethod
    def header_of(octets: int) -> bytes:
        filler = octets - len(compact(key().header(x="")))
        return compact(key().header(x="x" * filler))

    def test_a_header_has_1024_characters_at_most(self) -> None:
        assert verifier.verify(key().sign(id_payload(), self.header_of(768)))
        with pytest.raises(TokenMalformedError):
            verifier.verify(key().sign(id_payload(), self.header_of(769)))

    def test_a_payload_is_shown_with_256_brackets_at_most(self) -> None:
        def nested(levels: int) -> CognitoUser:
            value = f"{'[' * levels}1{']' * levels}"
            payload = compact(id_payload(x="@", hasura=None))  # one bracket of its own
            return verifier.verify(key().sign(payload.replace(b'"@"', value.encode())))

        assert nested(255).payload["x"]
        with pytest.raises(ClaimsInvalidError):
            _ = nested(256).payload


class TestHasuraClaims:
    @pytest.mark.parametrize("roles", range(1, 5))
    def test_have_no_room_for_another_member(self, roles: int) -> None:
        """Whatever number of strings is added, it is never taken for the number that belongs there."""
        text = json.dumps(HASURA | {ROLES: ["moped-editor"] * roles})
        assert hasura.parse(text)
        for strings, lists in itertools.product(range(16), range(8)):
            if strings or lists:
                more = ['"x-hasura-user-db-id":"1"'] * strings + [f'"{ROLES}":[]'] * lists
                with pytest.raises(ValueError, match="twice"):
                    hasura.parse(f"{{{','.join(more)},{text[1:]}")

    @pytest.mark.parametrize(
        ("missing", "doubled"), list(itertools.permutations(sorted(HASURA.keys() - {ROLES}), 2))
    )
    def test_cannot_hide_a_second_member_for_a_missing_one(self, missing: str, doubled: str) -> None:
        text = json.dumps({name: value for name, value in HASURA.items() if name != missing})
        assert hasura.parse(text)
        with pytest.raises(ValueError, match="twice"):
            hasura.parse(f'{{"{doubled}":"1",{text[1:]}')

    def test_cannot_hide_a_list_in_the_place_of_the_roles(self) -> None:
        without = {name: value for name, value in HASURA.items() if name != ROLES}

        assert hasura.parse(json.dumps(without))
        with pytest.raises(ValueError, match="list"):
            hasura.parse(json.dumps(without | {"x-hasura-projects": []}))
