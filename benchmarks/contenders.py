"""
The contenders: `python -m benchmarks.contenders NAME`, in an environment of their own.

A contender prepares whatever it would prepare once in a process's life, then reads numbers of
calls from standard input and prints the nanoseconds they took. Each call gets a new string for
the token, as each request does.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from benchmarks.answer import answer

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


def jose_with_key() -> Callable[[], Any]:
    from jose import jwk, jwt

    issuer, client = expectations()
    key = jwk.construct(signing_jwk())
    return lambda: jwt.decode(token(), key, algorithms=["RS256"], audience=client, issuer=issuer)


def jose_with_key_set() -> Callable[[], Any]:
    from jose import jwt

    issuer, client = expectations()
    keys = jwks()
    return lambda: jwt.decode(token(), keys, algorithms=["RS256"], audience=client, issuer=issuer)


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


def cognitojwt() -> Callable[[], Any]:
    from cognitojwt import decode

    from benchmarks import stage

    return lambda: decode(token(), stage.REGION, stage.POOL, stage.CLIENT)


def simplejwt_jwk_url() -> Callable[[], Any]:
    configure_django({})
    from rest_framework_simplejwt.backends import TokenBackend

    issuer, client = expectations()
    backend = TokenBackend("RS256", audience=client, issuer=issuer, jwk_url=os.environ["BENCH_JWKS_URL"])
    return lambda: backend.decode(token())


def django_cognito_jwt_cached() -> Callable[[], Any]:
    return django_cognito_jwt(cached=True)


def django_cognito_jwt_default() -> Callable[[], Any]:
    return django_cognito_jwt(cached=False)


def django_cognito_jwt(*, cached: bool) -> Callable[[], Any]:
    configure_django({"COGNITO_PUBLIC_KEYS_CACHING_ENABLED": cached})
    from django_cognito_jwt import validator

    from benchmarks import stage

    get = validator.requests.get
    validator.requests.get = lambda url: get(os.environ["BENCH_JWKS_URL"])
    # The package makes a validator for every request.
    return lambda: validator.TokenValidator(stage.REGION, stage.POOL, stage.CLIENT).validate(token())


def fastapi_cognito() -> Callable[[], Any]:
    auth = fastapi_cognito_auth()

    class Request:
        headers: dict[str, str]

    async def many(count: int) -> int:
        request: Any = Request()
        began = time.process_time_ns()
        for _ in range(count):
            request.headers = {"authorization": f"Bearer {token()}"}
            await auth.auth_required(request)
        return time.process_time_ns() - began

    return asynchronous(many)


# ---- (b) a whole request --------------------------------------------------------------------------


def ours_as_shipped() -> Callable[[], Any]:
    from moped_api.wsgi import application

    return wsgi(application)


def ours_bare() -> Callable[[], Any]:
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.bare_settings"
    from django.core.wsgi import get_wsgi_application

    return wsgi(get_wsgi_application())


def flask_same_work() -> Callable[[], Any]:
    from benchmarks import flask_peer

    return wsgi(flask_peer.app(bare=False))


def flask_bare() -> Callable[[], Any]:
    from benchmarks import flask_peer

    return wsgi(flask_peer.app(bare=True))


def fastapi_with_cognito() -> Callable[[], Any]:
    from fastapi import Depends, FastAPI

    auth = fastapi_cognito_auth()
    app = FastAPI()

    @app.get("/auth/current_user")
    def current_user(caller: Any = Depends(auth.auth_required)) -> dict[str, Any]:  # noqa: B008, FAST002
        claims = caller.model_dump()
        return answer(claims)

    return asgi(app)


def drf_with_simplejwt() -> Callable[[], Any]:
    issuer, client = expectations()
    configure_django(
        {
            "ROOT_URLCONF": "benchmarks.drf_peer",
            "ALLOWED_HOSTS": ["localhost"],
            "SIMPLE_JWT": {
                "ALGORITHM": "RS256",
                "JWK_URL": os.environ["BENCH_JWKS_URL"],
                "AUDIENCE": client,
                "ISSUER": issuer,
                "USER_ID_CLAIM": "sub",
                "TOKEN_TYPE_CLAIM": None,
                "JTI_CLAIM": None,
                "AUTH_TOKEN_CLASSES": ["rest_framework_simplejwt.tokens.UntypedToken"],
            },
            "REST_FRAMEWORK": {
                "DEFAULT_AUTHENTICATION_CLASSES": [
                    "rest_framework_simplejwt.authentication.JWTStatelessUserAuthentication"
                ],
                "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
            },
        }
    )
    from django.core.wsgi import get_wsgi_application

    return wsgi(get_wsgi_application())


def plain_django() -> Callable[[], Any]:
    """Answer by a plain Django view, without middleware, with our verifier."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.plain_settings"
    from django.core.wsgi import get_wsgi_application

    return wsgi(get_wsgi_application())


# ---- (c) the same request with one thing after the other left out ---------------------------------


def without_log() -> Callable[[], Any]:
    return less(1)


def without_cors() -> Callable[[], Any]:
    return less(2)


def without_address() -> Callable[[], Any]:
    return less(3)


def without_request_middleware() -> Callable[[], Any]:
    return less(4)


def without_signals() -> Callable[[], Any]:
    return less(5)


def less(steps: int) -> Callable[[], Any]:
    """Return our application with the first so many of these left out."""
    import logging

    import django
    from django.conf import settings
    from django.core import signals

    from apps.core.http.wsgi import Handler

    def silence() -> None:
        logging.getLogger("moped.request").disabled = True

    def deafen() -> None:
        signals.request_started.receivers.clear()
        signals.request_finished.receivers.clear()

    django.setup()
    leave_out = [
        silence,
        lambda: settings.MIDDLEWARE.remove("apps.core.http.cors.CorsMiddleware"),
        lambda: settings.MIDDLEWARE.remove("apps.core.http.middleware.HostMiddleware"),
        lambda: settings.MIDDLEWARE.remove("apps.core.http.middleware.RequestMiddleware"),
        deafen,
    ]
    for step in leave_out[:steps]:
        step()
    return wsgi(Handler())  # get_wsgi_application() would set the logging up once more


def raw_wsgi() -> Callable[[], Any]:
    """Answer by a function: our verifier, orjson, nothing else."""
    import django

    django.setup()
    import orjson

    from apps.auth.tokens import verifier

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        id_token = verifier.verify(environ["HTTP_AUTHORIZATION"].removeprefix("Bearer "))
        start_response("200 OK", [("Content-Type", "application/json")])
        return [orjson.dumps(answer(id_token.payload))]

    return wsgi(application)


# ---- helpers ------------------------------------------------------------------------------------


def configure_django(settings: dict[str, Any]) -> None:
    import django
    from django.conf import settings as django_settings

    django_settings.configure(
        USE_TZ=True,
        SECRET_KEY="x" * 50,
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework"],
        **settings,
    )
    django.setup()


def fastapi_cognito_auth() -> Any:
    from fastapi_cognito import CognitoAuth
    from pydantic_settings import BaseSettings

    from benchmarks import stage
    from benchmarks.fastapi_token import Token

    pool = {
        "region": stage.REGION,
        "userpool_id": stage.POOL,
        "app_client_id": stage.CLIENT,
        "jwks_url": os.environ["BENCH_JWKS_URL"],
    }

    class Settings(BaseSettings):
        check_expiration: bool = True
        jwt_header_prefix: str = "Bearer"
        jwt_header_name: str = "Authorization"
        userpools: dict[str, dict[str, Any]] = {"main": pool}

    return CognitoAuth(settings=Settings(), custom_model=Token)


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


def asgi(application: Any) -> Callable[[], Any]:
    """Call an ASGI application in process, as a server would."""
    parts: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        parts.append(message)

    async def many(count: int) -> int:
        began = time.process_time_ns()
        for _ in range(count):
            parts.clear()
            headers = [
                (b"host", b"localhost"),
                (b"accept", b"*/*"),
                (b"authorization", b"Bearer " + token().encode()),
            ]
            scope = {
                "type": "http",
                "asgi": {"version": "3.0"},
                "http_version": "1.1",
                "method": "GET",
                "scheme": "http",
                "path": "/auth/current_user",
                "raw_path": b"/auth/current_user",
                "query_string": b"",
                "root_path": "",
                "headers": headers,
                "client": ("127.0.0.1", 1),
                "server": ("localhost", 80),
            }
            await application(scope, receive, send)
        return time.process_time_ns() - began

    run = asynchronous(many)
    run.many(1)  # type: ignore[attr-defined]
    check(parts[1]["body"], str(parts[0]["status"]))
    return run


def check(body: bytes, status: str) -> None:
    if not status.startswith("200") or json.loads(body)["hasura_claims"]["x-hasura-user-db-id"] != "77":
        raise SystemExit(f"not the answer: {status} {body[:200]!r}")


def asynchronous(many: Any) -> Callable[[], Any]:
    """Let a coroutine count its own calls, so that no event loop's start is measured."""
    loop = asyncio.new_event_loop()

    def once() -> None:
        loop.run_until_complete(many(1))

    once.many = lambda count: loop.run_until_complete(many(count))  # type: ignore[attr-defined]
    return once


def serve(call: Any) -> None:
    call()
    many = getattr(call, "many", None)
    for line in sys.stdin:
        count = int(line)
        if many:
            elapsed = many(count)
        else:
            began = time.process_time_ns()
            for _ in range(count):
                call()
            elapsed = time.process_time_ns() - began
        print(elapsed, flush=True)


if __name__ == "__main__":
    serve(globals()[sys.argv[1]]())
