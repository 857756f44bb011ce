"""HTTP events of Lambda to WSGI and back (PEP 3333), in both payload versions of API Gateway."""

import base64
import sys
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes, urlencode

from moped_api import lambda_events
from moped_api.lambda_events import MalformedEventError

# Of the host name that a REST or HTTP API has by itself. Paths begin with the stage there.
GATEWAY_HOST = ".execute-api."


def respond(application: Callable[..., Any], event: dict[str, Any], context: Any) -> dict[str, Any]:
    """
    Let the application answer an event, and return what API Gateway expects.

    :raises MalformedEventError: naming the part of the event that is wrong
    """
    request = lambda_events.http_request(event)
    started: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], *_exc_info: Any) -> Callable[..., Any]:
        started.update(status=int(status[:3]), headers=headers)
        return lambda _data: None

    chunks = application(_environ(request, context), start_response)
    try:
        body = b"".join(chunks)
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    return _answer(started["status"], started["headers"], body) | _cookies(request, started["headers"])


def _answer(status: int, headers: Iterable[tuple[str, str]], body: bytes) -> dict[str, Any]:
    plain = {name: value for name, value in headers if name != "Set-Cookie"}
    try:
        text, is_base64 = body.decode(), False
    except UnicodeDecodeError:
        text, is_base64 = base64.b64encode(body).decode(), True
    return {"statusCode": status, "headers": plain, "body": text, "isBase64Encoded": is_base64}


def _cookies(event: Mapping[str, Any], headers: Iterable[tuple[str, str]]) -> dict[str, Any]:
    cookies = [value for name, value in headers if name == "Set-Cookie"]
    if not cookies:
        return {}
    return {"cookies": cookies} if _is_version_2(event) else {"multiValueHeaders": {"Set-Cookie": cookies}}


def _environ(event: dict[str, Any], context: Any) -> dict[str, Any]:
    headers = _headers(event)
    prefix, path = _paths(event, headers.get("HOST", ""))
    body = _body(event)
    gateway = event["requestContext"]
    caller = gateway["http"] if _is_version_2(event) else gateway["identity"]
    variables = {
        "REQUEST_METHOD": caller["method"] if _is_version_2(event) else event["httpMethod"],
        "SCRIPT_NAME": prefix,
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": _query(event).encode().decode("latin-1"),
        "CONTENT_TYPE": headers.pop("CONTENT_TYPE", ""),
        "CONTENT_LENGTH": str(len(body)),
        "REMOTE_ADDR": caller["sourceIp"] or "",
        "SERVER_NAME": "lambda",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
    }
    server = {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "gateway.request_id": gateway["requestId"],
        "lambda.context": context,
    }
    return {f"HTTP_{name}": value for name, value in headers.items()} | variables | server


def _headers(event: dict[str, Any]) -> dict[str, str]:
    """
    Return the headers by their names in WSGI; one with an underscore could pose as another.

    Values are native strings: UTF-8 read as Latin-1.
    """
    single = event["headers"] or {}
    every = event.get("multiValueHeaders") or {name: [value] for name, value in single.items()}
    if event.get("cookies"):
        every = {**every, "cookie": event["cookies"]}
    merged: dict[str, list[str]] = {}
    for name, values in every.items():
        if "_" not in name:
            merged.setdefault(name.upper().replace("-", "_"), []).extend(values)
    return {
        name: ("; " if name == "COOKIE" else ", ").join(values).encode().decode("latin-1")
        for name, values in merged.items()
    }


def _paths(event: dict[str, Any], host: str) -> tuple[str, str]:
    """Return the prefix that the stage adds to every path, and the path without it."""
    prefix = f"/{event['requestContext'].get('stage')}"
    if not _is_version_2(event):
        return (prefix if GATEWAY_HOST in host else ""), event["path"]
    path: str = event["rawPath"]
    if path == prefix or path.startswith(f"{prefix}/"):
        return prefix, path.removeprefix(prefix)
    return "", path


def _query(event: dict[str, Any]) -> str:
    if _is_version_2(event):
        return str(event["rawQueryString"])
    parameters = event.get("multiValueQueryStringParameters") or event.get("queryStringParameters") or {}
    return urlencode(parameters, doseq=True)


def _body(event: dict[str, Any]) -> bytes:
    body = event["body"] or ""
    try:
        return base64.b64decode(body, validate=True) if event["isBase64Encoded"] else body.encode()
    except ValueError as error:
        raise MalformedEventError("Expected base64 - at `$.body`") from error


def _is_version_2(event: Mapping[str, Any]) -> bool:
    return "rawPath" in event
