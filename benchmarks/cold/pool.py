"""A user pool of one key: signs a token, and serves its key set over HTTP."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jose import jwt
from jose.utils import long_to_base64

REGION = "us-east-1"
USER_ID = "11111111-1111-4111-8111-111111111111"
HASURA = "https://hasura.io/jwt/claims"


class Pool:
    """The pool; a context manager, for as long as its key set is served."""

    pool_id = f"{REGION}_BENCHMARK"
    client_id = "benchmark-client"

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(65537, 2048)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.keys_url = f"http://127.0.0.1:{self._server.server_address[1]}/keys"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def token(self) -> str:
        """Return an ID token as the pool's trigger would have it."""
        now = int(time.time())
        claims = {
            "x-hasura-user-id": USER_ID,
            "x-hasura-default-role": "moped-viewer",
            "x-hasura-allowed-roles": ["moped-editor"],
            "x-hasura-user-db-id": "77",
            "x-hasura-user-wg-id": "1",
        }
        payload = {
            "sub": USER_ID,
            "aud": self.client_id,
            "iss": f"https://cognito-idp.{REGION}.amazonaws.com/{self.pool_id}",
            "token_use": "id",
            "auth_time": now,
            "iat": now,
            "exp": now + 3600,
            "cognito:username": USER_ID,
            "email": "jane.doe@austintexas.gov",
            "email_verified": True,
            HASURA: json.dumps(claims),
        }
        pem = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return str(jwt.encode(payload, pem, algorithm="RS256", headers={"kid": "benchmark"}))

    def event(self, host: str) -> dict[str, Any]:
        """Return API Gateway's event (payload version 1) for an authenticated `GET /auth/current_user`."""
        headers = {"Host": host, "Authorization": f"Bearer {self.token()}", "Accept": "application/json"}
        return {
            "resource": "/{proxy+}",
            "path": "/auth/current_user",
            "httpMethod": "GET",
            "headers": headers,
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "queryStringParameters": None,
            "multiValueQueryStringParameters": None,
            "requestContext": {
                "stage": "staging",
                "requestId": "benchmark-request",
                "identity": {"sourceIp": "192.0.2.1"},
            },
            "body": None,
            "isBase64Encoded": False,
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        public = self._key.public_key().public_numbers()
        key = {
            "kty": "RSA",
            "kid": "benchmark",
            "use": "sig",
            "alg": "RS256",
            "n": long_to_base64(public.n).decode(),
            "e": long_to_base64(public.e).decode(),
        }
        body = json.dumps({"keys": [key]}).encode()

        class Keys(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Keys
