"""Genuine tokens, changed by chance: never accepted unless nothing was changed, never a crash."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from apps.auth.tokens import base64url, errors, verifier
from tests.auth.signing import compact, id_payload, key
from tests.support import token_factory

pytestmark = [pytest.mark.slow(cost=10), pytest.mark.usefixtures("publisher"), pytest.mark.no_cover]

many = settings(
    max_examples=500,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    derandomize=True,
    database=None,
)
some = settings(many, max_examples=100)

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
characters = st.one_of(st.sampled_from(ALPHABET + '.=+/ \n\t\0"\\,'), st.characters())
GENUINE = key().sign(id_payload(exp=4_000_000_000))


def replacing(token: str, position: int, text: str) -> str:
    """Put the text in the place of up to four characters."""
    index = position % (len(token) + 1)
    return token[:index] + text + token[index + position % 5 :]


def flipping(token: str, position: int, text: str) -> str:
    """Flip one bit of the octets of one part."""
    parts = token.split(".")
    octets = bytearray(base64url.decode(parts[position % 3].encode()))
    octets[position % len(octets)] ^= 1 << (len(text) % 8)
    parts[position % 3] = token_factory.base64url(bytes(octets))
    return ".".join(parts)


def mixing(token: str, position: int, text: str) -> str:
    """Take one part from another genuine token."""
    parts, other_parts = token.split("."), key("pool-key-2").sign(id_payload(sub=text)).split(".")
    parts[position % 3] = other_parts[position % 3]
    return ".".join(parts)


mutations = st.sampled_from([replacing, flipping, mixing])
# Three steps of `mixing` could make another genuine token.
steps = st.lists(
    st.tuples(mutations, st.integers(0, 10_000), st.text(characters, max_size=4)), min_size=1, max_size=2
)


def mutate(changes: list[tuple[Callable[[str, int, str], str], int, str]]) -> str:
    token = GENUINE
    for change, position, text in changes:
        try:
            token = change(token, position, text)
        except (ValueError, IndexError, ZeroDivisionError):
            assume(False)  # noqa: FBT003 (no longer three parts of base64url to change)
    assume(token != GENUINE)
    return token


class TestMutations:
    @many
    @given(steps)
    def test_are_never_accepted_and_never_crash(self, changes: Any) -> None:
        assert verifier.verify(GENUINE)
        with pytest.raises(errors.TokenError):
            verifier.verify(mutate(changes))

    @some
    @given(st.text(max_size=300))
    @example("\u20ac")
    @example("Bearer \udcff")
    @example("Bearer a b")
    def test_whatever_is_in_the_header_is_no_crash(self, header: str) -> None:
        response = APIClient().get("/auth/current_user", HTTP_AUTHORIZATION=header)

        assert response.status_code == 401


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from([*id_payload(), "nbf", "nonce", "cognito:groups", "x"])


class TestSignedNonsense:
    @some
    @given(st.dictionaries(names, json_values, max_size=3))
    def test_in_claims_is_accepted_or_refused_and_never_a_crash(self, changes: dict[str, Any]) -> None:
        token = key().sign(id_payload() | changes)
        response = APIClient().get("/auth/current_user", HTTP_AUTHORIZATION=f"Bearer {token}")

        assert response.status_code in {200, 401}

    @some
    @given(st.dictionaries(st.sampled_from(["alg", "kid", "crit", "typ", "b64", "x"]), json_values))
    def test_in_the_header_is_refused_unless_it_says_the_same(self, changes: dict[str, Any]) -> None:
        header = key().header() | changes
        same = header["alg"] == "RS256" and header["kid"] == key().kid and "crit" not in header

        try:
            accepted = bool(verifier.verify(key().sign(id_payload(), compact(header))))
        except errors.TokenError:
            accepted = False

        assert accepted <= same


class TestBase64Url:
    @many
    @given(st.text(characters, max_size=12) | st.text(ALPHABET, max_size=12))
    def test_accepts_exactly_what_it_would_write_itself(self, text: str) -> None:
        octets = text.encode("utf-8", "surrogatepass")
        try:
            decoded = base64url.decode(octets)
        except ValueError:
            return
        assert token_factory.base64url(decoded) == text

    @many
    @given(st.binary(max_size=600))
    def test_reads_canonical_base64url(self, octets: bytes) -> None:
        assert base64url.decode(token_factory.base64url(octets).encode()) == octets
