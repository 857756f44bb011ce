"""Key set: what a key server may publish by mistake or malice, and what it makes of a genuine token."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.auth.attacks import ACCEPTED, BAD_SIGNATURE, UNAVAILABLE, UNKNOWN_KEY, KeySetAttack
from tests.auth.signing import compact, key
from tests.support.token_factory import base64url

if TYPE_CHECKING:
    from collections.abc import Callable

RFC_7517_5 = "RFC 7517, 5: ignore the keys that cannot be used"
RFC_7517_4 = "RFC 7517, 4: parameters of a key"
RFC_7518_6_3 = "RFC 7518, 6.3: parameters of RSA keys"
RFC_8725_3_5 = "RFC 8725, 3.5: keys of sufficient strength"
UNIQUE = "RFC 7517, 4.5: distinct kid values"
BAD_BODY = "a bad body is never cached"


def beside_a_good_one(*jwks: Any) -> dict[str, Any]:
    """Publish these and a healthy second key: the set is alive, whatever becomes of the first key."""
    return {"keys": [*jwks, key("pool-key-2").jwk()]}


def first(**changes: Any) -> Callable[[], Any]:
    """Change the first key; a change to None drops a member."""
    return lambda: beside_a_good_one(key().jwk(**changes))


def first_with(name: str, text: str) -> Callable[[], Any]:
    """Give a member of the first key this very JSON value."""
    return lambda: compact(beside_a_good_one(key().jwk(**{name: "@@"}))).replace(b'"@@"', text.encode())


def of(bits: int, exponent: int = 65537) -> Callable[[], Any]:
    """Publish another key, of this size, under the first key's id."""
    return lambda: beside_a_good_one(key("other", bits, exponent).jwk(kid="pool-key-1"))


def number(value: int) -> str:
    return base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def modulus(change: Callable[[int], int]) -> Callable[[], Any]:
    return lambda: beside_a_good_one(key().jwk(n=number(change(key().numbers.n))))


def exactly(body: bytes) -> Callable[[], Any]:
    return lambda: body


def elliptic() -> dict[str, Any]:
    return {
        "kty": "EC",
        "kid": "pool-key-1",
        "crv": "P-256",
        "alg": "ES256",
        "use": "sig",
        "x": "AA",
        "y": "AA",
    }


def nonsense_between() -> dict[str, Any]:
    oddities: list[Any] = [
        None,
        1,
        "key",
        [],
        {},
        {"kid": None},
        {"kid": ["pool-key-1"]},
        {"kid": "x", "kty": "RSA"},
    ]
    return {"keys": [*oddities, key().jwk()], "more": {"x": 1}}


ATTACKS = (
    KeySetAttack("usual", partial(beside_a_good_one), UNKNOWN_KEY, "a key that is not published"),
    KeySetAttack("genuine", first(), ACCEPTED, "what Cognito publishes"),
    KeySetAttack(
        "without-use-and-alg", first(use=None, alg=None), ACCEPTED, f"{RFC_7517_4}: use and alg are optional"
    ),
    KeySetAttack("with-key_ops-verify", first(use=None, key_ops=["verify"]), ACCEPTED, f"{RFC_7517_4}.3"),
    KeySetAttack("with-certificate", first(x5c=["MIIB"], x5t="AA"), ACCEPTED, f"{RFC_7517_4}.7 (ignored)"),
    KeySetAttack("among-nonsense", nonsense_between, ACCEPTED, RFC_7517_5),
    # ---- keys that are not for this --------------------------------------------------------------
    KeySetAttack("for-encryption", first(use="enc"), UNKNOWN_KEY, f"{RFC_7517_4}.2"),
    KeySetAttack("use-in-capitals", first(use="SIG"), UNKNOWN_KEY, f"{RFC_7517_4}.2"),
    KeySetAttack("use-null", first_with("use", "null"), UNKNOWN_KEY, f"{RFC_7517_4}.2"),
    KeySetAttack("key_ops-sign", first(use=None, key_ops=["sign"]), UNKNOWN_KEY, f"{RFC_7517_4}.3"),
    KeySetAttack(
        "key_ops-encrypt", first(use=None, key_ops=["encrypt", "wrapKey"]), UNKNOWN_KEY, f"{RFC_7517_4}.3"
    ),
    *(
        KeySetAttack(f"alg-{alg}", first(alg=alg), UNKNOWN_KEY, f"{RFC_7517_4}.4; RFC 8725, 3.1")
        for alg in ("RS384", "RS512", "PS256", "HS256", "none", "RSA-OAEP", "", "rs256")
    ),
    KeySetAttack("alg-null", first_with("alg", "null"), UNKNOWN_KEY, f"{RFC_7517_4}.4"),
    KeySetAttack(
        "kty-oct",
        lambda: beside_a_good_one({"kid": "pool-key-1", "kty": "oct", "k": "AAAA"}),
        UNKNOWN_KEY,
        "CVE-2024-33663: symmetric keys in a public set",
    ),
    KeySetAttack("kty-EC", lambda: beside_a_good_one(elliptic()), UNKNOWN_KEY, RFC_7517_5),
    KeySetAttack("kty-in-small-letters", first(kty="rsa"), UNKNOWN_KEY, f"{RFC_7517_4}.1"),
    KeySetAttack("kty-absent", first(kty=None), UNKNOWN_KEY, f"{RFC_7517_4}.1"),
    KeySetAttack("kty-a-list", first(kty=["RSA"]), UNKNOWN_KEY, f"{RFC_7517_4}.1"),
    *(
        KeySetAttack(
            f"private-{part}",
            first(**{part: "AAAA"}),
            UNKNOWN_KEY,
            f"{RFC_7518_6_3}.2: a private key, published",
        )
        for part in ("d", "p", "q", "dp", "dq", "qi", "oth")
    ),
    KeySetAttack("private", lambda: beside_a_good_one(key().private_jwk()), UNKNOWN_KEY, f"{RFC_7518_6_3}.2"),
    # ---- numbers --------------------------------------------------------------------------------
    KeySetAttack("exponent-1", first(e="AQ"), UNKNOWN_KEY, "e = 1 makes every signature its own message"),
    KeySetAttack("exponent-3", of(2048, 3), UNKNOWN_KEY, "Bleichenbacher's forgery against e = 3"),
    KeySetAttack("exponent-0", first(e="AA"), UNKNOWN_KEY, RFC_8725_3_5),
    KeySetAttack("exponent-even", first(e="AQAA"), UNKNOWN_KEY, RFC_8725_3_5),
    KeySetAttack("exponent-huge", first(e="AQAB" * 64), UNKNOWN_KEY, "verification that takes for ever"),
    KeySetAttack("exponent-empty", first(e=""), UNKNOWN_KEY, RFC_7518_6_3),
    KeySetAttack("exponent-a-number", first_with("e", "65537"), UNKNOWN_KEY, RFC_7518_6_3),
    KeySetAttack("exponent-padded", first(e="AQAB===="), UNKNOWN_KEY, "RFC 7515, 2"),
    KeySetAttack("exponent-absent", first(e=None), UNKNOWN_KEY, RFC_7518_6_3),
    KeySetAttack("modulus-of-1024-bits", of(1024), UNKNOWN_KEY, "RFC 7518, 3.3: 2048 bits or larger"),
    KeySetAttack("modulus-of-2047-bits", modulus(lambda n: n >> 1 | 1), UNKNOWN_KEY, "RFC 7518, 3.3"),
    KeySetAttack(
        "modulus-beyond-4096-bits",
        modulus(lambda n: n << 2049 | 1),
        UNKNOWN_KEY,
        "verification that takes for ever",
    ),
    KeySetAttack(
        "modulus-of-4096-bits", modulus(lambda n: n << 2048 | 1), BAD_SIGNATURE, "the largest that is used"
    ),
    KeySetAttack("modulus-of-3072-bits", of(3072), BAD_SIGNATURE, "another key under this id"),
    KeySetAttack("modulus-even", modulus(lambda n: n - 1), BAD_SIGNATURE, RFC_8725_3_5),
    KeySetAttack("modulus-empty", first(n=""), UNKNOWN_KEY, RFC_7518_6_3),
    KeySetAttack("modulus-absent", first(n=None), UNKNOWN_KEY, RFC_7518_6_3),
    KeySetAttack("modulus-a-number", first_with("n", "9" * 600), UNKNOWN_KEY, RFC_7518_6_3),
    KeySetAttack(
        "modulus-in-standard-base64",
        lambda: beside_a_good_one(key().jwk(n=key().jwk()["n"][:-4] + "+/+/")),
        UNKNOWN_KEY,
        f"{RFC_7518_6_3}.1.1 (Base64urlUInt)",
    ),
    KeySetAttack("modulus-not-ascii", first(n="é" * 342), UNKNOWN_KEY, f"{RFC_7518_6_3}.1.1"),
    KeySetAttack(
        "modulus-with-a-leading-zero",
        lambda: beside_a_good_one(key().jwk(n=base64url(b"\x00" + key().numbers.n.to_bytes(256, "big")))),
        ACCEPTED,
        f"{RFC_7518_6_3}.1.1: some implementations prefix it; the number counts",
    ),
    # ---- ids ------------------------------------------------------------------------------------
    KeySetAttack(
        "kid-twice",
        lambda: beside_a_good_one(key().jwk(), key("attacker").jwk(kid="pool-key-1")),
        UNKNOWN_KEY,
        UNIQUE,
    ),
    KeySetAttack(
        "kid-twice-the-same-key", lambda: beside_a_good_one(key().jwk(), key().jwk()), UNKNOWN_KEY, UNIQUE
    ),
    KeySetAttack(
        "kid-twice-one-unusable",
        lambda: beside_a_good_one(key().jwk(), key().jwk(use="enc")),
        UNKNOWN_KEY,
        UNIQUE,
    ),
    KeySetAttack(
        "kid-twice-of-another-kind", lambda: beside_a_good_one(elliptic(), key().jwk()), UNKNOWN_KEY, UNIQUE
    ),
    KeySetAttack("kid-absent", first(kid=None), UNKNOWN_KEY, "a key without a name matches no token"),
    KeySetAttack("kid-a-number", first(kid=1), UNKNOWN_KEY, f"{RFC_7517_4}.5"),
    KeySetAttack("kid-a-list", first(kid=["pool-key-1"]), UNKNOWN_KEY, f"{RFC_7517_4}.5"),
    KeySetAttack(
        "kid-of-another-case", first(kid="Pool-Key-1"), UNKNOWN_KEY, f"{RFC_7517_4}.5 (case-sensitive)"
    ),
    KeySetAttack(
        "another-key-under-this-kid",
        lambda: beside_a_good_one(key("attacker").jwk(kid="pool-key-1")),
        BAD_SIGNATURE,
        "the key that kid names, and no other",
    ),
    # ---- what is no key set ----------------------------------------------------------------------
    *(
        KeySetAttack(f"body-{name}", exactly(body), UNAVAILABLE, BAD_BODY)
        for name, body in (
            ("empty", b""),
            ("html", b"<html>maintenance</html>"),
            ("null", b"null"),
            ("array", b"[]"),
            ("string", b'"keys"'),
            ("object", b"{}"),
            ("keys-null", b'{"keys":null}'),
            ("keys-object", b'{"keys":{}}'),
            ("keys-string", b'{"keys":"x"}'),
            ("no-key", b'{"keys":[]}'),
            ("no-usable-key", b'{"keys":[{"kid":"pool-key-1"}]}'),
            ("cut-short", b'{"keys":[{"kid":'),
            ("nan", b'{"keys":[NaN]}'),
            ("not-utf-8", b'{"keys":["\xff"]}'),
            ("nested", b'{"keys":' + b"[" * 5000 + b"]" * 5000 + b"}"),
            ("gzip", b"\x1f\x8b\x08\x00" + b"\x00" * 16),
            ("oauth-error", json.dumps({"error": "invalid_request"}).encode()),
        )
    ),
    KeySetAttack(
        "body-with-byte-order-mark",
        lambda: b"\xef\xbb\xbf" + compact({"keys": [key().jwk()]}),
        UNAVAILABLE,
        "RFC 8259, 8.1",
    ),
    KeySetAttack(
        "body-of-more-than-64-kB",
        lambda: compact({"x": "x" * 65_536, "keys": [key().jwk()]}),
        UNAVAILABLE,
        BAD_BODY,
    ),
    KeySetAttack(
        "body-just-below-64-kB",
        lambda: compact({"x": "x" * 64_000, "keys": [key().jwk()]}),
        ACCEPTED,
        "the limit is the limit",
    ),
    KeySetAttack(
        "a-hundred-keys",
        lambda: {"keys": [key().jwk(kid=f"k{n}") for n in range(100)] + [key().jwk()]},
        ACCEPTED,
        "nothing genuine stays out",
    ),
)
