"""
The contenders: `python -m benchmarks.contenders NAME`, in an environment of their own.

A contender prepares whatever it would prepare once in a process's life, then reads numbers of
calls from standard input and prints the nanoseconds they took. Each call gets a new string for
the token, as each request does.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

TOKEN = os.environ["BENCH_TOKEN"].encode()


def token() -> str:
    """Return the token as a string without a cached hash."""
    return TOKEN.decode()


def jwks() -> dict[str, Any]:
    with open(os.environ["AWS_COGNITO_JWKS_PATH"], encoding="utf-8") as file:  # noqa: PTH123
        return json.load(file)  # type: ignore[no-any-return]


def signing_jwk() -> dict[str, Any]:
    return jwks()["keys"][0]  # type: ignore[no-any-return]


def expectations() -> tuple[str, str]:
    from benchmarks import stage

    return stage.ISSUER, stage.CLIENT


# ---- (a) from a token's text to verified claims ---------------------------------------------------


def raw() -> Callable[[], Any]:
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.hashes import SHA256
    from jwt.algorithms import RSAAlgorithm

    from benchmarks.unpadded import decode

    key: Any = RSAAlgorithm.from_jwk(signing_jwk())
    message, _, signature = TOKEN.rpartition(b".")
    octets, pad, digest = decode(signature), padding.PKCS1v15(), SHA256()
    return lambda: key.verify(octets, message, pad, digest)


def ours_cached() -> Callable[[], Any]:
    import django

    django.setup()
    from apps.auth.tokens import verifier

    return lambda: verifier.verify(token())


def ours_uncached() -> Callable[[], Any]:
    import django

    django.setup()
    from apps.auth.tokens import keys, verifier

    verifier.verify(token())
    verify, pool = verifier._verified.__wrapped__, keys.current()  # noqa: SLF001
    return lambda: verify(token(), pool)


def pyjwt() -> Callable[[], Any]:
    import jwt
    from jwt.algorithms import RSAAlgorithm

    issuer, client = expectations()
    key: Any = RSAAlgorithm.from_jwk(signing_jwk())
    return lambda: jwt.decode(token(), key, algorithms=["RS256"], audience=client, issuer=issuer)


def joserfc() -> Callable[[], Any]:
    from joserfc import jwk, jwt

    issuer, client = expectations()
    keys = jwk.KeySet.import_key_set(jwks())  # type: ignore[arg-type]
    rules = jwt.JWTClaimsRegistry(iss={"value": issuer}, aud={"value": client}, exp={"essential": True})

    def verify() -> None:
        rules.validate(jwt.decode(token(), keys, algorithms=["RS256"]).claims)

    return verify


# ---- (b) a whole request --------------------------------------------------------------------------


def ours_as_shipped() -> Callable[[], Any]:
    from moped_api.wsgi import application

    return wsgi(application)


def flask_same_work() -> Callable[[], Any]:
    from benchmarks import flask_peer

    return wsgi(flask_peer.app())


# ---- helpers ------------------------------------------------------------------------------------


def wsgi(application: Any) -> Callable[[], Any]:
    """Call a WSGI application in process, as a server would."""
    from io import BytesIO

    base = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/auth/current_user",
        "QUERY_STRING": "",
        "SCRIPT_NAME": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "HTTP_ACCEPT": "application/json, text/plain, */*",
        "HTTP_ORIGIN": "http://localhost:3000",
        "HTTP_USER_AGENT": "Mozilla/5.0",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.errors": sys.stderr,
    }
    statuses: list[Any] = []

    def call() -> bytes:
        environ = base | {"HTTP_AUTHORIZATION": f"Bearer {token()}", "wsgi.input": BytesIO()}
        statuses.clear()
        result = application(environ, lambda status, headers, exc_info=None: statuses.append(status))
        body = b"".join(result)
        close = getattr(result, "close", None)
        if close:
            close()
        return body

    check(call(), statuses[0])
    return call


def check(body: bytes, status: str) -> None:
    if not status.startswith("200") or json.loads(body)["hasura_claims"]["x-hasura-user-db-id"] != "77":
        raise SystemExit(f"not the answer: {status} {body[:200]!r}")


def serve(call: Any) -> None:
    call()
    for line in sys.stdin:
        began = time.process_time_ns()
        for _ in range(int(line)):
            call()
        print(time.process_time_ns() - began, flush=True)


if __name__ == "__main__":
    serve(globals()[sys.argv[1]]())
