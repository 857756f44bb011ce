"""
From a JSON Web Key Set (RFC 7517) to the keys that may sign our tokens.

python-jose's RSA key does the signature and is known nowhere else: to swap it for another
library, change `PublicKey`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
from jose.backends.cryptography_backend import CryptographyRSAKey

from apps.auth.tokens import base64url

if TYPE_CHECKING:
    from collections.abc import Mapping

ALGORITHM = "RS256"
MODULUS_BITS = range(2048, 4096 + 1)
EXPONENT = 65537
PRIVATE_PARTS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth"})


class PublicKey:
    """One RSA key, built once and used for every signature that names it."""

    __slots__ = ("_key", "modulus", "signature_octets")

    def __init__(self, jwk: Mapping[str, str], modulus: int) -> None:
        self.modulus = modulus
        self.signature_octets = (modulus.bit_length() + 7) // 8
        self._key = CryptographyRSAKey({name: jwk[name] for name in ("kty", "n", "e")}, ALGORITHM)

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Return whether this key signed the message (RSASSA-PKCS1-v1_5 with SHA-256)."""
        return len(signature) == self.signature_octets and self._key.verify(message, signature) is True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and other.modulus == self.modulus

    def __hash__(self) -> int:
        return hash(self.modulus)


class _Document(msgspec.Struct):
    keys: list[Any]


class _Jwk(msgspec.Struct):
    kid: str
    kty: str
    n: str
    e: str
    use: str = "sig"
    alg: str = ALGORITHM
    key_ops: list[str] = msgspec.field(default_factory=lambda: ["verify"])


def parse(document: bytes) -> dict[str, PublicKey]:
    """
    Return the usable keys by their ids; what is unusable is skipped (RFC 7517, section 5).

    :raises ValueError: if this is no key set at all
    """
    try:
        entries = msgspec.json.decode(document, type=_Document).keys
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    jwks = [jwk for jwk in entries if isinstance(jwk, dict) and isinstance(jwk.get("kid"), str)]
    # An id that occurs twice names no key, not even if one of the two could not be used.
    occurrences = Counter(jwk["kid"] for jwk in jwks)
    unique = {jwk["kid"]: _key(jwk) for jwk in jwks if occurrences[jwk["kid"]] == 1}
    return {kid: key for kid, key in unique.items() if key}


def _key(jwk: dict[str, Any]) -> PublicKey | None:
    """Return the key, or None if it is not one that Cognito would sign our tokens with."""
    if PRIVATE_PARTS & jwk.keys():
        return None  # a published private key is compromised
    try:
        public = msgspec.convert(jwk, _Jwk)
        modulus = _number(public.n)
        return PublicKey(jwk, modulus) if _is_ours(public, modulus) else None
    except ValueError:
        return None


def _is_ours(jwk: _Jwk, modulus: int) -> bool:
    purpose = (jwk.kty, jwk.use, jwk.alg) == ("RSA", "sig", ALGORITHM) and "verify" in jwk.key_ops
    return purpose and modulus.bit_length() in MODULUS_BITS and _number(jwk.e) == EXPONENT


def _number(text: str) -> int:
    return int.from_bytes(base64url.decode(text.encode("ascii")), "big")
