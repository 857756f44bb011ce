"""What a verified token says, every limit from both sides, and what it costs to verify a token again."""

import itertools
import json
from typing import Any

import pytest

from apps.auth.callers import CognitoUser
from apps.auth.tokens import errors, verifier
from apps.claims import hasura
from tests.auth.signing import HASURA, compact, id_payload, key
from tests.support.clock import Clock
from tests.support.token_factory import USER_ID, Publisher

pytestmark = pytest.mark.usefixtures("publisher")

ROLES = "x-hasura-allowed-roles"
END_OF_9999 = 253_402_300_799


def verified(**changes: Any) -> CognitoUser:
    return verifier.verify(key().sign(id_payload(**changes)))


class TestVerify:
    def test_reads_the_caller_from_a_genuine_token(self) -> None:
        payload = id_payload(cognito__groups=["a", "b"], nonce="n")
        caller = verifier.verify(key().sign(payload))

        assert (caller.sub, caller.username, caller.email) == (USER_ID, USER_ID, "jane.doe@austintexas.gov")
        assert (caller.exp, caller.nonce) == (payload["exp"], "n")
        assert caller.claims == hasura.HasuraClaims(
            user_id=USER_ID,
            default_role="moped-viewer",
            allowed_roles=("moped-editor",),
            database_id="77",
            workgroup_id="1",
        )

    def test_reads_the_claims_of_the_second_trigger_version_and_none(self) -> None:
        assert verified(hasura=HASURA).claims.database_id == "77"
        assert verified(hasura=None).claims == hasura.NO_CLAIMS

    @pytest.mark.parametrize("bits", [2048, 3072, 4096])
    def test_takes_keys_of_every_size_that_is_strong_enough(self, publisher: Publisher, bits: int) -> None:
        signer = key(f"of {bits}", bits)
        publisher.publish(signer)

        assert verifier.verify(signer.sign(id_payload()))


class TestTimes:
    def test_exp_must_lie_ahead(self, clock: Clock) -> None:
        assert verified(exp=clock.wall + 1)
        with pytest.raises(errors.TokenExpiredError):
            verified(exp=clock.wall)

    def test_exp_ends_a_token_that_was_verified_before(self, clock: Clock) -> None:
        text = key().sign(id_payload(exp=clock.wall + 1))
        assert verifier.verify(text)
        for _ in range(2):  # in that very second, and ever after
            clock.passes(1)
            with pytest.raises(errors.TokenExpiredError):
                verifier.verify(text)

    @pytest.mark.parametrize("name", ["iat", "nbf"])
    def test_iat_and_nbf_may_lie_30_seconds_ahead(self, clock: Clock, name: str) -> None:
        assert verified(**{name: clock.wall + 30})
        with pytest.raises(errors.TokenNotYetValidError):
            verified(**{name: clock.wall + 31})

    def test_lie_between_1970_and_the_year_10000(self) -> None:
        assert verified(auth_time=0, exp=END_OF_9999)
        for changes in ({"auth_time": -1}, {"exp": END_OF_9999 + 1}):
            with pytest.raises(errors.ClaimsInvalidError):
                verified(**changes)


class TestSizes:
    def test_a_header_has_1024_characters_at_most(self) -> None:
        filler = 768 - len(compact(key().header(x="")))
        longest = compact(key().header(x="x" * filler))
        assert verifier.verify(key().sign(id_payload(), longest))
        with pytest.raises(errors.TokenMalformedError):
            verifier.verify(key().sign(id_payload(), longest + b" "))

    def test_a_payload_is_shown_with_256_brackets_at_most(self) -> None:
        def nested(levels: int) -> CognitoUser:
            value = f"{'[' * levels}1{']' * levels}"
            payload = compact(id_payload(x="@", hasura=None))  # one bracket of its own
            return verifier.verify(key().sign(payload.replace(b'"@"', value.encode())))

        assert nested(255).payload["x"]
        with pytest.raises(errors.ClaimsInvalidError):
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

        with pytest.raises(ValueError, match="list"):
            hasura.parse(json.dumps(without | {"x-hasura-projects": []}))


class TestMemory:
    def test_keeps_a_verified_token(self) -> None:
        text = key().sign(id_payload())

        assert verifier.verify(text) is verifier.verify("".join(list(text)))

    def test_is_bounded_and_not_filled_by_junk(self) -> None:
        text = key().sign(id_payload())
        before = verifier.verify(text)
        for number in range(verifier.CACHED_TOKENS + 10):
            with pytest.raises(errors.TokenError):
                verifier.verify(f"{text[:-6]}{number:05}A")

        assert verifier.verify(text) is before
        assert verifier._verify_in_full.cache_info().maxsize == 1024
        assert verifier.parse_kid.cache_info().maxsize == 64


class TestRefusals:
    @pytest.mark.parametrize("error", errors.TOKEN_ERRORS, ids=lambda error: error.code)
    def test_have_a_code_and_a_sentence_of_their_own(self, error: type[errors.TokenError]) -> None:
        assert [other.code for other in errors.TOKEN_ERRORS].count(error.code) == 1
        assert str(error()).endswith(".")
        assert '"' not in str(error())  # it stands within quotes in WWW-Authenticate

    def test_say_nothing_of_the_token(self) -> None:
        with pytest.raises(errors.TokenError) as refusal:
            verified(aud="a-secret")

        assert refusal.value.args == ("The token was issued to another application.",)
