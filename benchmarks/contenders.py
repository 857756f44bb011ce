"""
The contenders: `python -m benchmarks.contenders NAME`, in an environment of their own.

A contender prepares what it would prepare once in a process's life, then reads numbers of calls from
standard input and prints the nanoseconds they took. Each call gets a new string for the token, as each
request does.
"""

import base64
import json
import os
import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

TOKEN = os.environ["BENCH_TOKEN"].encode()
KEY_SET = json.loads(Path(os.environ["AWS_COGNITO_JWKS_PATH"]).read_text())
POOL = os.environ["COGNITO_USERPOOL_ID"]
ISSUER = f"https://cognito-idp.{os.environ['COGNITO_REGION']}.amazonaws.com/{POOL}"
CLIENT = os.environ["COGNITO_APP_CLIENT_ID"].partition(",")[0]


def token() -> str:
    """Return the token as a string without a cached hash."""
    return TOKEN.decode()


# ---- (a) from a token's text to verified claims ---------------------------------------------------


def raw() -> Callable[[], Any]:
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.hashes import SHA256
    from jwt.algorithms import RSAAlgorithm

    key: Any = RSAAlgorithm.from_jwk(KEY_SET["keys"][0])
    message, _, signature = TOKEN.rpartition(b".")
    octets, pad, digest = base64.urlsafe_b64decode(signature + b"=="), padding.PKCS1v15(), SHA256()
    return lambda: key.verify(octets, message, pad, digest)


def ours_cached() -> Callable[[], Any]:
    verifier = _verifier()
    return lambda: verifier.verify(token())


def ours_uncached() -> Callable[[], Any]:
    verifier = _verifier()
    from apps.auth.tokens import key_cache

    verifier.verify(token())
    verify, pool = verifier._verify_in_full.__wrapped__, key_cache.current()  # noqa: SLF001
    return lambda: verify(token(), pool)


def _verifier() -> Any:
    import django

    django.setup()
    from apps.auth.tokens import verifier

    return verifier


def pyjwt() -> Callable[[], Any]:
    import jwt
    from jwt.algorithms import RSAAlgorithm

    key: Any = RSAAlgorithm.from_jwk(KEY_SET["keys"][0])
    return lambda: jwt.decode(token(), key, algorithms=["RS256"], audience=CLIENT, issuer=ISSUER)


def joserfc() -> Callable[[], Any]:
    from joserfc import jwk, jwt

    keys = jwk.KeySet.import_key_set(KEY_SET)
    rules = jwt.JWTClaimsRegistry(iss={"value": ISSUER}, aud={"value": CLIENT}, exp={"essential": True})
    return lambda: rules.validate(jwt.decode(token(), keys, algorithms=["RS256"]).claims)


# ---- (b) a whole request --------------------------------------------------------------------------


def ours_as_shipped() -> Callable[[], Any]:
    from moped_api.wsgi import application

    return wsgi(application)


def flask_same_work() -> Callable[[], Any]:
    from benchmarks import flask_peer

    return wsgi(flask_peer.app(POOL, CLIENT))


def wsgi(application: Any) -> Callable[[], Any]:
    """Call a WSGI application in process, as a server would."""
    base: dict[str, Any] = {
        "PATH_INFO": "/auth/current_user",
        "SERVER_NAME": "localhost",
        "HTTP_HOST": "localhost",
        "HTTP_ACCEPT": "application/json, text/plain, */*",
        "HTTP_ORIGIN": os.environ["MOPED_API_CORS_ORIGINS"],
        "HTTP_USER_AGENT": "Mozilla/5.0",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.errors": sys.stderr,
    }
    setup_testing_defaults(base)
    statuses: list[str] = []

    def call() -> bytes:
        environ = base | {"HTTP_AUTHORIZATION": f"Bearer {token()}", "wsgi.input": BytesIO()}
        result = application(environ, lambda status, headers, exc_info=None: statuses.append(status))
        body = b"".join(result)
        getattr(result, "close", lambda: None)()
        return body

    body = call()
    if statuses != ["200 OK"] or json.loads(body)["hasura_claims"]["x-hasura-user-db-id"] != "77":
        raise SystemExit(f"not the answer: {statuses} {body[:200]!r}")
    return call


def serve(call: Any) -> None:
    call()
    for line in sys.stdin:
        began = time.process_time_ns()
        for _ in range(int(line)):
            call()
        print(time.process_time_ns() - began, flush=True)


if __name__ == "__main__":
    serve(globals()[sys.argv[1]]())
