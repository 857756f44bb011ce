"""Tokens of our own making: keys made in the test, and every part of a token open to mischief."""

from __future__ import annotations

import json
import threading
import time
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from django.conf import settings

from apps.claims.hasura import CLAIMS_NAMESPACE as CLAIMS
from tests.support.token_factory import USER_ID, base64url

HASURA = {
    "x-hasura-user-id": USER_ID,
    "x-hasura-default-role": "moped-viewer",
    "x-hasura-allowed-roles": ["moped-editor"],
    "x-hasura-user-db-id": "77",
    "x-hasura-user-wg-id": "1",
}


def compact(value: Any) -> bytes:
    """Return JSON without spaces; bytes are taken for JSON already."""
    return value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()


class SigningKey:
    """A key pair with an id."""

    def __init__(self, kid: str, bits: int = 2048, exponent: int = 65537) -> None:
        self.kid = kid
        self.bits = bits
        self.private = rsa.generate_private_key(public_exponent=exponent, key_size=bits)
        self.numbers = self.private.public_key().public_numbers()

    def jwk(self, **changes: Any) -> dict[str, Any]:
        """Return the public half as Cognito publishes it; a change to None drops a member."""
        number = self.numbers
        jwk = {
            "kid": self.kid,
            "alg": "RS256",
            "use": "sig",
            "kty": "RSA",
            "n": base64url(number.n.to_bytes((number.n.bit_length() + 7) // 8, "big")),
            "e": base64url(number.e.to_bytes((number.e.bit_length() + 7) // 8, "big")),
        } | changes
        return {name: value for name, value in jwk.items() if value is not None}

    def private_jwk(self) -> dict[str, Any]:
        """Return the key with one private part, as only a careless pool would."""
        return self.jwk(d=base64url(self.private.private_numbers().d.to_bytes(self.bits // 8, "big")))

    def sign(self, message: bytes, pad: Any = None, digest: Any = None) -> bytes:
        """Sign octets: RSASSA-PKCS1-v1_5 with SHA-256 unless told otherwise."""
        return self.private.sign(message, pad or padding.PKCS1v15(), digest or hashes.SHA256())

    def header(self, **changes: Any) -> dict[str, Any]:
        """Return the header that Cognito writes; a change to None drops a member."""
        header = {"kid": self.kid, "alg": "RS256"} | changes
        return {name: value for name, value in header.items() if value is not None}

    def token(self, payload: Any, header: Any = None) -> str:
        """Return a compact JWS; payload and header may be any JSON value, or raw octets."""
        protected = self.header() if header is None else header
        message = f"{base64url(compact(protected))}.{base64url(compact(payload))}"
        return f"{message}.{base64url(self.sign(message.encode()))}"


_signing_key = cache(SigningKey)
_making = threading.Lock()  # a cache alone lets two threads make two keys of one id


def key(name: str = "pool-key-1", bits: int = 2048, exponent: int = 65537) -> SigningKey:
    """Return the key of that id, the same one all session long: making one takes a while."""
    with _making:
        return _signing_key(name, bits, exponent)


def id_payload(**changes: Any) -> dict[str, Any]:
    """
    Return what Cognito puts into an ID token of the test pool; a change to None drops a claim.

    Colons are written as two underscores: `cognito__username`.
    """
    now = int(time.time())
    payload = {
        "sub": USER_ID,
        "email_verified": True,
        "iss": settings.COGNITO_ISSUER,
        "cognito:username": USER_ID,
        "origin_jti": "22222222-2222-4222-8222-222222222222",
        "aud": settings.COGNITO_CLIENT_IDS[0],
        "event_id": "33333333-3333-4333-8333-333333333333",
        "token_use": "id",
        "auth_time": now - 60,
        "exp": now + 3600,
        "iat": now - 60,
        "jti": "44444444-4444-4444-8444-444444444444",
        "email": "jane.doe@austintexas.gov",
        CLAIMS: json.dumps(HASURA),
    } | {(CLAIMS if name == "hasura" else name.replace("__", ":")): value for name, value in changes.items()}
    return {name: value for name, value in payload.items() if value is not None}
