"""Every limit, from both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from apps.auth.tokens import jwks, verifier
from apps.auth.tokens.errors import (
    ClaimsInvalidError,
    TokenExpiredError,
    TokenMalformedError,
    TokenNotYetValidError,
)
from tests.auth.signing import compact, id_payload, key

if TYPE_CHECKING:
    from apps.auth.callers import CognitoUser
    from tests.support.clock import Clock

pytestmark = pytest.mark.usefixtures("publisher")

END_OF_9999 = 253_402_300_799


def verified(**changes: Any) -> CognitoUser:
    return verifier.verify(key().token(id_payload(**changes)))


class TestTimes:
    def test_exp_must_lie_ahead(self, clock: Clock) -> None:
        assert verified(exp=clock.wall + 1)
        with pytest.raises(TokenExpiredError):
            verified(exp=clock.wall)

    def test_exp_ends_a_token_that_was_verified_before(self, clock: Clock) -> None:
        text = key().token(id_payload(exp=clock.wall + 1))
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

    @pytest.mark.parametrize("name", ["iat", "auth_time", "nbf"])
    def test_lie_after_1970(self, name: str) -> None:
        assert verified(**{name: 0})
        with pytest.raises(ClaimsInvalidError):
            verified(**{name: -1})

    @pytest.mark.parametrize("name", ["exp", "auth_time"])
    def test_lie_before_the_year_10000(self, name: str) -> None:
        assert verified(**{name: END_OF_9999})
        with pytest.raises(ClaimsInvalidError):
            verified(**{name: END_OF_9999 + 1})


class TestSizes:
    @staticmethod
    def header_of(octets: int) -> bytes:
        filler = octets - len(compact(key().header(x="")))
        return compact(key().header(x="x" * filler))

    def test_a_header_has_1024_characters_at_most(self) -> None:
        assert verifier.verify(key().token(id_payload(), self.header_of(768)))
        with pytest.raises(TokenMalformedError):
            verifier.verify(key().token(id_payload(), self.header_of(769)))

    def test_a_payload_is_shown_with_256_brackets_at_most(self) -> None:
        def nested(levels: int) -> CognitoUser:
            value = f"{'[' * levels}1{']' * levels}"
            payload = compact(id_payload(x="@", hasura=None))  # one bracket of its own
            return verifier.verify(key().token(payload.replace(b'"@"', value.encode())))

        assert nested(255).payload["x"]
        with pytest.raises(ClaimsInvalidError):
            _ = nested(256).payload


class TestKeys:
    def test_are_the_same_if_their_numbers_are(self) -> None:
        first, other = sorted(
            (jwks.parse(compact({"keys": [key(kid).jwk()]}))[kid] for kid in ("pool-key-1", "pool-key-2")),
            key=lambda public: public.modulus,
        )

        assert first == jwks.PublicKey(key().jwk(), first.modulus)
        assert first != other
        assert other != first
        assert first != "a key"
