"""What every contender is given: one pool, its key set on a loopback server and in a file, one token."""

from __future__ import annotations

import base64
import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "us-east-1"
POOL = "us-east-1_BENCHPOOL"
CLIENT = "3n4b5urk1ft4fl3mg5e62d9ado"
ISSUER = f"https://cognito-idp.{REGION}.amazonaws.com/{POOL}"
KID = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ="
USER = "11111111-1111-4111-8111-111111111111"
HASURA = "https://hasura.io/jwt/claims"


def base64url(octets: bytes) -> str:
    """Return unpadded base64url."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


class Stage:
    """A pool of the day; children find it in their environment."""

    def __init__(self, folder: Path) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        numbers = self.key.public_key().public_numbers()
        jwk = {
            "kid": KID,
            "alg": "RS256",
            "use": "sig",
            "kty": "RSA",
            "e": "AQAB",
            "n": base64url(numbers.n.to_bytes(256, "big")),
        }
        other = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key().public_numbers()
        spare = jwk | {"kid": "another", "n": base64url(other.n.to_bytes(256, "big"))}
        self.document = json.dumps({"keys": [jwk, spare]}).encode()
        self.file = folder / "jwks.json"
        self.file.write_bytes(self.document)

    def payload(self, **claims: Any) -> dict[str, Any]:
        """Return what Cognito puts into an ID token of a caller through single sign-on."""
        now = int(time.time())
        claim = {
            "x-hasura-user-id": USER,
            "x-hasura-default-role": "moped-viewer",
            "x-hasura-allowed-roles": ["moped-editor"],
            "x-hasura-user-db-id": "77",
            "x-hasura-user-wg-id": "1",
        }
        identity = {
            "userId": "jane.doe@austintexas.gov",
            "providerName": "azuread",
            "providerType": "SAML",
            "issuer": f"https://sts.windows.net/{USER}/",
            "primary": "true",
            "dateCreated": "1600000000000",
        }
        return {
            "sub": USER,
            "cognito:groups": [f"{POOL}_azuread"],
            "email_verified": True,
            "iss": ISSUER,
            "cognito:username": USER,
            "origin_jti": USER,
            "aud": CLIENT,
            "event_id": USER,
            "token_use": "id",
            "auth_time": now - 60,
            "exp": now + 86_400,
            "iat": now - 60,
            "jti": USER,
            "email": "jane.doe@austintexas.gov",
            "identities": [identity],
            HASURA: json.dumps(claim),
        } | claims

    def token(self, **claims: Any) -> str:
        """Return a signed token."""
        header = base64url(json.dumps({"kid": KID, "alg": "RS256"}, separators=(",", ":")).encode())
        payload = base64url(json.dumps(self.payload(**claims), separators=(",", ":")).encode())
        signature = self.key.sign(f"{header}.{payload}".encode(), padding.PKCS1v15(), SHA256())
        return f"{header}.{payload}.{base64url(signature)}"

    def environment(self, url: str) -> dict[str, str]:
        """Return what a contender needs to know, in the names of the API's own settings."""
        root = Path(__file__).resolve().parent.parent
        return {
            **os.environ,
            "PYTHONPATH": str(root),
            "DJANGO_SETTINGS_MODULE": "moped_api.settings",
            "MOPED_API_CURRENT_ENVIRONMENT": "benchmark",
            "AWS_DEFAULT_REGION": REGION,
            "COGNITO_USERPOOL_ID": POOL,
            "COGNITO_APP_CLIENT_ID": CLIENT,
            "COGNITO_JWKS_URL": url,
            "COGNITO_DYNAMO_TABLE_NAME": "unused",
            "MOPED_API_CONFIGURATION_SETTINGS": "unused",
            "MOPED_API_UPLOADS_S3_BUCKET": "unused",
            "DATABASE_URL": "postgresql:///unused",
            "MOPED_API_ALLOWED_HOSTS": "localhost",
            "MOPED_API_CORS_ORIGINS": "http://localhost:3000",
            "AWS_COGNITO_JWKS_PATH": str(self.file),
            "BENCH_TOKEN": self.token(),
            "BENCH_JWKS_URL": url,
        }

    def serve(self) -> str:
        """Serve the key set on loopback as long as the process lives, and return where."""
        document = self.document

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(document)))
                self.end_headers()
                self.wfile.write(document)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (http.server's name)
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/jwks.json"


def tokens_of(stage: Stage, count: int) -> Iterator[str]:
    """Return so many distinct valid tokens."""
    return (stage.token(sub=f"{number:08}-1111-4111-8111-111111111111") for number in range(count))
