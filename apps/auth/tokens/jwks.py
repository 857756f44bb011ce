"""
The pool's JSON Web Key Set (RFC 7517), and the keys in it that may sign our tokens.

python-jose's RSA key does the signature and is known nowhere else: to swap it for another
library, change `PublicKey`.
"""

from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, Final, Literal

import msgspec
from jose.backends.cryptography_backend import CryptographyRSAKey

from apps.auth import pool_client
from apps.auth.tokens import base64url
from apps.core import deadline

DEADLINE_SECONDS = 2.0
ALGORITHM: Final = "RS256"
MODULUS_BITS = range(2048, 4096 + 1)
PRIVATE_PARTS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth"})


class FetchError(Exception):
    """The key set cannot be fetched now. The text gives the reason and may be logged."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One RSA key, built once and used for every signature that names it. Two of one modulus are equal."""

    modulus: int
    rsa_key: CryptographyRSAKey = field(compare=False, repr=False)

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Return whether this key signed the message (RSASSA-PKCS1-v1_5 with SHA-256)."""
        return self.rsa_key.verify(message, signature) is True


class _Document(msgspec.Struct):
    keys: list[Any]


class _Jwk(msgspec.Struct):
    """What a usable key says of itself, apart from its id."""

    kty: Literal["RSA"]
    n: str
    e: Literal["AQAB"]  # 65537
    use: Literal["sig"] = "sig"
    alg: Literal["RS256"] = ALGORITHM
    key_ops: tuple[str, ...] = ("verify",)


def fetch(url: str) -> dict[str, PublicKey]:
    """
    Return the usable keys by their ids; what is unusable is skipped (RFC 7517, section 5).

    :raises FetchError: unless the answer is a key set, of at most 64 kB, within two seconds
    """
    try:
        with deadline.within(DEADLINE_SECONDS):
            status, document = pool_client.send(url, timeout=DEADLINE_SECONDS)
    except (deadline.DeadlineError, TimeoutError) as error:
        raise FetchError("no answer in time") from error
    except (OSError, HTTPException, ValueError, RuntimeError) as error:  # RuntimeError: no more threads
        raise FetchError(type(error).__name__) from error
    if status != HTTPStatus.OK:
        raise FetchError(f"it answered {status}")
    try:
        entries = msgspec.json.decode(document, type=_Document).keys
    except (ValueError, RecursionError) as error:
        raise FetchError("the answer is no key set") from error
    return _usable(entries)


def _usable(entries: list[Any]) -> dict[str, PublicKey]:
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
        modulus = int.from_bytes(base64url.decode(public.n.encode("ascii")), "big")
        if "verify" not in public.key_ops or modulus.bit_length() not in MODULUS_BITS:
            return None
        rsa_key = CryptographyRSAKey({"kty": public.kty, "n": public.n, "e": public.e}, ALGORITHM)
        return PublicKey(modulus, rsa_key)
    except ValueError:
        return None
