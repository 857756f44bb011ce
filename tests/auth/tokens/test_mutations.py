"""Genuine tokens, changed by chance: never accepted unless nothing was changed, never a crash."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from apps.auth.tokens import base64url, verifier
from tests.auth.signing import compact, id_payload, key
from tests.support import token_factory

pytestmark = [pytest.mark.slow(cost=10), pytest.mark.usefixtures("publisher"), pytest.mark.no_cover]

relaxed = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    derandomize=True,
    database=None,
)
many = settings(relaxed, max_examples=500)
some = settings(relaxed, max_examples=100)

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
characters = st.one_of(st.sampled_from(ALPHABET + '.=+/ \n\t\0"\\,'), st.characters())
positions = st.integers(0, 10_000)


def at(token: str, position: int) -> int:
    return position % (len(token) + 1)


def replacing(token: str, position: int, text: str) -> str:
    """Insert the text, or put it in the place of up to four characters."""
    index = at(token, position)
    return token[:index] + text + token[index + position % 5 :]


def deleting(token: str, position: int, text: str) -> str:
    index = at(token, position)
    return token[:index] + token[index + len(text) :]


def swapping(token: str, position: int, text: str) -> str:
    parts = token.split(".")
    first, second = position % 3, (position // 3) % 3
    parts[first], parts[second] = parts[second], parts[first]
    return ".".join(parts)


def other_case(token: str, position: int, text: str) -> str:
    index = at(token, position)
    return token[:index] + token[index : index + len(text)].swapcase() + token[index + len(text) :]


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


mutations = st.sampled_from([replacing, deleting, swapping, other_case, flipping, mixing])
steps = st.lists(
    st.tuples(mutations, positions, st.text(characters, min_size=1, max_size=4)), min_size=1, max_size=3
)
GENUINE = key().sign(id_payload(exp=4_000_000_000))


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
        with pytest.raises(verifier.TokenError):
            verifier.verify(mutate(changes))

    @some
    @given(st.text(max_size=300))
    @example("\u20ac")
    @example("Bearer \udcff")
    @example("Bearer a b")
    def test_whatever_is_in_the_header_is_no_crash(self, header: str) -> None:
        response = APIClient().get("/auth/current_user", HTTP_AUTHORIZATION=header)

        assert response.status_code == 401

    def test_start_from_a_token_that_is_accepted(self) -> None:
        assert verifier.verify(GENUINE)


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
        payload = id_payload() | changes
        response = APIClient().get("/auth/current_user", HTTP_AUTHORIZATION=f"Bearer {key().sign(payload)}")

        assert response.status_code in {200, 401}

    @many
    @given(st.binary(max_size=64))
    def test_instead_of_claims_is_refused(self, octets: bytes) -> None:
        with pytest.raises(verifier.TokenError):
            verifier.verify(key().sign(octets))

    @some
    @given(st.dictionaries(st.sampled_from(["alg", "kid", "crit", "typ", "b64", "x"]), json_values))
    def test_in_the_header_is_refused_unless_it_says_the_same(self, changes: dict[str, Any]) -> None:
        header = key().header() | changes
        same = header["alg"] == "RS256" and header["kid"] == key().kid and "crit" not in header

        try:
            accepted = bool(verifier.verify(key().sign(id_payload(), compact(header))))
        except verifier.TokenError:
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
