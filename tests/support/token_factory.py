"""A user pool of the tests' own: a key, its key set on a loopback server, and genuine tokens."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from django.conf import settings

from apps.claims.hasura import CLAIMS_NAMESPACE
from tests.support.loopback import Loopback

USER_ID = "11111111-1111-4111-8111-111111111111"


def base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


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

    def __init__(self, kid: str = "test-key-1") -> None:
        self.kid = kid
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def jwk(self) -> dict[str, str]:
        numbers = self.key.public_key().public_numbers()
        return {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.kid,
            "n": base64url(numbers.n.to_bytes(256, "big")),
            "e": base64url(numbers.e.to_bytes(3, "big")),
        }

    def sign(self, payload: dict[str, Any] | bytes, header: dict[str, Any] | None = None) -> str:
        """Return the compact JWS of a payload."""
        raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        protected = json.dumps(header or {"kid": self.kid, "alg": "RS256"}).encode()
        signing_input = f"{base64url(protected)}.{base64url(raw)}"
        signature = self.key.sign(signing_input.encode(), padding.PKCS1v15(), SHA256())
        return f"{signing_input}.{base64url(signature)}"

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
    return {name: value for name, value in (standard | claims).items() if value is not None}


class KeyServer(Loopback):
    """A key-set endpoint that publishes the keys of some signers."""

    def __init__(self, *signers: Signer) -> None:
        super().__init__()
        self.key_set = json.dumps({"keys": [signer.jwk() for signer in signers]}).encode()

    def answer(self, body: bytes) -> tuple[int, bytes]:
        return 200, self.key_set
