"""Key set: what a key server may publish by mistake or malice, and what it makes of a genuine token."""

from collections.abc import Callable
from functools import partial
from typing import Any

from tests.auth.attacks import ACCEPTED, BAD_SIGNATURE, UNAVAILABLE, UNKNOWN_KEY, catalogue
from tests.auth.signing import compact, key
from tests.support.token_factory import base64url, base64url_number


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


def modulus(change: Callable[[int], int]) -> Callable[[], Any]:
    return lambda: beside_a_good_one(key().jwk(n=base64url_number(change(key().numbers.n))))


ELLIPTIC = {"kty": "EC", "kid": "pool-key-1", "crv": "P-256", "alg": "ES256", "x": "AA", "y": "AA"}
ODDITIES: tuple[Any, ...] = (
    None,
    1,
    "key",
    [],
    {},
    {"kid": None},
    {"kid": ["pool-key-1"]},
    {"kid": "x", "kty": "RSA"},
)


ATTACKS = catalogue(
    {
        UNKNOWN_KEY: {
            "usual": partial(beside_a_good_one),  # a key that is not published
            # RFC 7517, 4.2
            "for-encryption": first(use="enc"),
            "use-null": first_with("use", "null"),
            "key_ops-sign": first(use=None, key_ops=["sign"]),  # RFC 7517, 4.3
            # RFC 7517, 4.4; RFC 8725, 3.1
            **{f"alg-{alg}": first(alg=alg) for alg in ("RS384", "PS256", "HS256", "none", "")},
            "alg-null": first_with("alg", "null"),  # RFC 7517, 4.4
            # CVE-2024-33663: symmetric keys in a public set
            "kty-oct": lambda: beside_a_good_one({"kid": "pool-key-1", "kty": "oct", "k": "AAAA"}),
            "kty-EC": partial(beside_a_good_one, ELLIPTIC),  # RFC 7517, 5: ignore keys that cannot be used
            # RFC 7517, 4.1
            "kty-in-small-letters": first(kty="rsa"),
            "kty-absent": first(kty=None),
            # RFC 7518, 6.3.2: a private key, published
            **{
                f"private-{part}": first(**{part: "AAAA"})
                for part in ("d", "p", "q", "dp", "dq", "qi", "oth")
            },
            "exponent-1": first(e="AQ"),  # e = 1 makes every signature its own message
            "exponent-3": of(2048, 3),  # Bleichenbacher's forgery against e = 3
            # verification that takes for ever
            "exponent-huge": first(e="AQAB" * 64),
            "modulus-beyond-4096-bits": modulus(lambda n: n << 2049 | 1),
            # RFC 7518, 6.3: parameters of RSA keys
            "exponent-a-number": first_with("e", "65537"),
            "exponent-absent": first(e=None),
            "modulus-empty": first(n=""),
            "modulus-absent": first(n=None),
            "modulus-a-number": first_with("n", "9" * 600),
            "exponent-padded": first(e="AQAB===="),  # RFC 7515, 2
            "modulus-of-2047-bits": modulus(lambda n: n >> 1 | 1),  # RFC 7518, 3.3
            "modulus-in-standard-base64": first(n="+/+/" * 85 + "AA"),  # RFC 7518, 6.3.1.1
            "modulus-not-ascii": first(n="é" * 342),  # RFC 7518, 6.3.1.1
            # RFC 7517, 4.5: distinct kid values
            "kid-twice": lambda: beside_a_good_one(key().jwk(), key("attacker").jwk(kid="pool-key-1")),
            "kid-twice-the-same-key": lambda: beside_a_good_one(key().jwk(), key().jwk()),
            "kid-twice-one-unusable": lambda: beside_a_good_one(key().jwk(), key().jwk(use="enc")),
            "kid-absent": first(kid=None),  # a key without a name matches no token
            "kid-a-number": first(kid=1),  # RFC 7517, 4.5
            # RFC 7517, 4.5 (case-sensitive)
            "kid-of-another-case": first(kid="Pool-Key-1"),
        },
        ACCEPTED: {
            "genuine": first(),  # what Cognito publishes
            # RFC 7517, 4: parameters of a key: use and alg are optional
            "without-use-and-alg": first(use=None, alg=None),
            "with-key_ops-verify": first(use=None, key_ops=["verify"]),  # RFC 7517, 4.3
            "among-nonsense": lambda: {"keys": [*ODDITIES, key().jwk()], "more": 1},  # RFC 7517, 5
            # RFC 7518, 6.3.1.1: some implementations prefix it; the number counts
            "modulus-with-a-leading-zero": lambda: beside_a_good_one(
                key().jwk(n=base64url(b"\x00" + key().numbers.n.to_bytes(256, "big")))
            ),
            # the limit is the limit
            "body-just-below-64-kB": lambda: compact({"x": "x" * 64_000, "keys": [key().jwk()]}),
        },
        BAD_SIGNATURE: {
            "modulus-of-4096-bits": modulus(lambda n: n << 2048 | 1),  # the largest that is used
            "modulus-even": modulus(lambda n: n - 1),  # RFC 8725, 3.5: keys of sufficient strength
            # the key that kid names, and no other
            "another-key-under-this-kid": lambda: beside_a_good_one(key("attacker").jwk(kid="pool-key-1")),
        },
        UNAVAILABLE: {
            # a bad body is never cached
            **{
                f"body-{name}": partial(bytes, body)
                for name, body in (
                    ("empty", b""),
                    ("array", b"[]"),
                    ("object", b"{}"),
                    ("keys-null", b'{"keys":null}'),
                    ("no-key", b'{"keys":[]}'),
                    ("cut-short", b'{"keys":[{"kid":'),
                    ("not-utf-8", b'{"keys":["\xff"]}'),
                    ("nested", b'{"keys":' + b"[" * 5000 + b"]" * 5000 + b"}"),
                )
            },
            "body-of-more-than-64-kB": lambda: compact({"x": "x" * 65_536, "keys": [key().jwk()]}),
            # RFC 8259, 8.1
            "body-with-byte-order-mark": lambda: b"\xef\xbb\xbf" + compact({"keys": [key().jwk()]}),
        },
    }
)
