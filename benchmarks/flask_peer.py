"""
What the API was: Flask and flask_cognito.

Around a route it does what ours does, with what a Flask service would use: flask-cors, one JSON log
line, a request id, the same headers.
"""

import json
import logging
import os
import time
import uuid
from datetime import UTC, datetime

from flask import Flask, Response, g, jsonify, request
from flask_cognito import CognitoAuth, cognito_auth_required, current_cognito_jwt
from flask_cors import CORS

HASURA = "https://hasura.io/jwt/claims"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


def app(pool: str, client: str) -> Flask:
    """Return the application."""
    flask = Flask(__name__)
    flask.config.update(
        COGNITO_REGION=pool.partition("_")[0], COGNITO_USERPOOL_ID=pool, COGNITO_APP_CLIENT_ID=client
    )
    CognitoAuth(flask)

    @flask.get("/auth/current_user")
    @cognito_auth_required
    def current_user() -> Response:
        claims = current_cognito_jwt._get_current_object()  # noqa: SLF001
        return jsonify(
            {
                "cognito:username": claims["cognito:username"],
                "email": claims["email"],
                "hasura_claims": json.loads(claims[HASURA]),
                "decrypted_jwt": claims,
            }
        )

    _around(flask)
    return flask


def _around(flask: Flask) -> None:
    CORS(
        flask,
        origins=[os.environ["MOPED_API_CORS_ORIGINS"]],
        expose_headers=["X-Request-ID", "Retry-After", "WWW-Authenticate"],
    )
    logger = logging.getLogger("request")
    logger.addHandler(logging.StreamHandler())
    logger.setLevel(logging.INFO)

    @flask.before_request
    def begin() -> None:
        g.started = time.perf_counter()
        g.request_id = request.headers.get("X-Request-ID") or uuid.uuid4().hex

    @flask.after_request
    def end(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers["X-Request-ID"] = g.request_id
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "level": "INFO",
            "event": "request",
            "request_id": g.request_id,
            "method": request.method,
            "route": request.url_rule.rule if request.url_rule else "",
            "status": response.status_code,
            "ms": round((time.perf_counter() - g.started) * 1000, 2),
            "client": request.remote_addr,
            "sub": getattr(g, "cogauth_cognito_jwt", {}).get("sub", ""),
        }
        logger.info(json.dumps(line))
        return response
