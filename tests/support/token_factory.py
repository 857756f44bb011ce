"""A user pool of the tests' own: a key, its key set on a loopback server, and genuine tokens."""

import json
import time
from base64 import urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from django.conf import settings

from apps.claims.hasura import CLAIMS_NAMESPACE
from tests.support.http_stub import StubServer

USER_ID = "11111111-1111-4111-8111-111111111111"


def base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def base64url_number(number: int) -> str:
    return base64url(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def compact(value: Any) -> bytes:
    """Return JSON without spaces; bytes are taken for JSON already."""
    return value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()


def without_none(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def hasura_claim(*roles: str, user_id: str = USER_ID, database_id: str = "77") -> str:
    """Return the claim as Cognito's V1 trigger makes it: JSON inside a JSON string."""
    return json.dumps(
        {
            "x-hasura-user-id": user_id,
            "x-hasura-default-role": "moped-viewer",
            "x-hasura-allowed-roles": list(roles),
            "x-hasura-user-db-id": database_id,
            "x-hasura-user-wg-id": "1",
        }
    )


class Signer:
    """One RSA key of a pool; `token()` is what the pool would issue."""

    def __init__(self, kid: str = "test-key-1", bits: int = 2048, exponent: int = 65537) -> None:
        self.kid = kid
        self.private = rsa.generate_private_key(public_exponent=exponent, key_size=bits)
        self.numbers = self.private.public_key().public_numbers()

    def jwk(self, **changes: Any) -> dict[str, Any]:
        """Return the public half as Cognito publishes it; a change to None drops a member."""
        jwk = {
            "kid": self.kid,
            "alg": "RS256",
            "use": "sig",
            "kty": "RSA",
            "n": base64url_number(self.numbers.n),
            "e": base64url_number(self.numbers.e),
        }
        return without_none(jwk | changes)

    def header(self, **changes: Any) -> dict[str, Any]:
        """Return the header that Cognito writes; a change to None drops a member."""
        return without_none({"kid": self.kid, "alg": "RS256"} | changes)

    def signature(self, message: bytes, pad: Any = None, digest: Any = None) -> bytes:
        """Sign octets: RSASSA-PKCS1-v1_5 with SHA-256 by default."""
        return self.private.sign(message, pad or padding.PKCS1v15(), digest or SHA256())

    def sign(self, payload: Any, header: Any = None) -> str:
        """Return a compact JWS; payload and header may be any JSON value, or raw octets."""
        protected = self.header() if header is None else header
        message = f"{base64url(compact(protected))}.{base64url(compact(payload))}"
        return f"{message}.{base64url(self.signature(message.encode()))}"

    def token(self, **claims: Any) -> str:
        """Return an ID token; a claim given as None is left out."""
        return self.sign(payload(**claims))


def payload(**claims: Any) -> dict[str, Any]:
    """Return the payload of a City editor's ID token with some claims replaced."""
    now = int(time.time())
    standard = {
        "sub": USER_ID,
        "aud": settings.COGNITO_CLIENT_IDS[0],
        "iss": settings.COGNITO_ISSUER,
        "token_use": "id",
        "auth_time": now,
        "iat": now,
        "exp": now + 3600,
        "cognito:username": USER_ID,
        "email": "jane.doe@austintexas.gov",
        "email_verified": True,
        CLAIMS_NAMESPACE: hasura_claim("moped-editor"),
    }
    return without_none(standard | claims)


class Publisher(StubServer):
    """A key-set endpoint; it publishes no key at first."""

    @property
    def url(self) -> str:
        return f"{super().url}/.well-known/jwks.json"

    def publish(self, *keys: Signer | dict[str, Any]) -> None:
        """Answer with these keys from now on, and behave."""
        jwks = [key if isinstance(key, dict) else key.jwk() for key in keys]
        self.document = json.dumps({"keys": jwks}).encode()
        self.misbehave = None
        self.asked.clear()
