"""Converts HTTP events to WSGI and back (PEP 3333), for both payload versions of API Gateway."""

import base64
import sys
from collections.abc import Callable
from io import BytesIO
from typing import Annotated, Any
from urllib.parse import unquote_to_bytes, urlencode

import msgspec
from msgspec import Meta

from moped_api.lambda_events import MalformedEventError, convert

# A part of the default host name of REST and HTTP APIs. There, paths begin with the stage.
GATEWAY_HOST = ".execute-api."

# Unicode that UTF-8 can encode. JSON may contain half of a surrogate pair.
Text = Annotated[str, Meta(pattern=r"\A[^\ud800-\udfff]*\Z")]
# RFC 9110, sections 5.6.2, 5.1 and 5.5.
Token = Annotated[str, Meta(pattern=r"\A[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")]
HeaderValue = Annotated[str, Meta(pattern=r"\A[^\x00\r\n\ud800-\udfff]*\Z")]


class _Client(msgspec.Struct, rename="camel"):
    source_ip: Text | None = None


class _RestContext(msgspec.Struct, rename="camel"):
    client: _Client = msgspec.field(name="identity", default_factory=_Client)
    request_id: Text = ""
    stage: Text | None = None


class _Request(msgspec.Struct, rename="camel", kw_only=True):
    headers: dict[Token, HeaderValue] | None = None
    multi_value_headers: dict[Token, list[HeaderValue]] | None = None
    cookies: list[HeaderValue] = msgspec.field(default_factory=list)
    body: Text | None = None
    is_base64_encoded: bool = False


# https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
class _RestRequest(_Request, kw_only=True):
    """A request of a REST API."""

    method: Token = msgspec.field(name="httpMethod")
    path: Text
    query_string_parameters: dict[Text, Text] | None = None
    multi_value_query_string_parameters: dict[Text, list[Text]] | None = None
    context: _RestContext = msgspec.field(name="requestContext", default_factory=_RestContext)

    @property
    def query(self) -> str:
        parameters = self.multi_value_query_string_parameters or self.query_string_parameters or {}
        return urlencode(parameters, doseq=True)


class _HttpClient(_Client, kw_only=True):
    method: Token


class _HttpContext(msgspec.Struct, rename="camel"):
    client: _HttpClient = msgspec.field(name="http")
    request_id: Text = ""
    stage: Text | None = None


# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
class _HttpRequest(_Request, kw_only=True):
    """A request of an HTTP API or of a function URL."""

    path: Text = msgspec.field(name="rawPath")
    query: Text = msgspec.field(name="rawQueryString", default="")
    context: _HttpContext = msgspec.field(name="requestContext")

    @property
    def method(self) -> str:
        return self.context.client.method


def respond(application: Callable[..., Any], event: dict[str, Any], context: Any) -> dict[str, Any]:
    """
    Let the application answer an event, and return the answer in API Gateway's format.

    The application gets only the declared parts of the event.

    :raises MalformedEventError: with the name of the wrong part of the event
    """
    kind: type[_RestRequest | _HttpRequest] = _HttpRequest if event.get("version") == "2.0" else _RestRequest
    request = convert(event, kind)
    answer: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], *_exc_info: Any) -> Callable[..., Any]:
        plain = {name: value for name, value in headers if name != "Set-Cookie"}
        answer.update(statusCode=int(status[:3]), headers=plain)
        if cookies := [value for name, value in headers if name == "Set-Cookie"]:
            is_rest = isinstance(request, _RestRequest)
            answer.update({"multiValueHeaders": {"Set-Cookie": cookies}} if is_rest else {"cookies": cookies})
        return lambda _data: None

    chunks = application(_environ(request, context), start_response)
    try:
        return answer | _encode_body(b"".join(chunks))
    finally:
        if hasattr(chunks, "close"):
            chunks.close()


def _encode_body(body: bytes) -> dict[str, Any]:
    try:
        return {"body": body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def _environ(request: _RestRequest | _HttpRequest, context: Any) -> dict[str, Any]:
    headers, body = _headers(request), _decode_body(request)
    prefix, path = _split_path(request, headers.get("HTTP_HOST", ""))
    return {
        "CONTENT_TYPE": headers.pop("HTTP_CONTENT_TYPE", ""),
        **headers,
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": prefix,
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": request.query.encode().decode("latin-1"),
        "CONTENT_LENGTH": str(len(body)),
        "REMOTE_ADDR": request.context.client.source_ip or "",
        "SERVER_NAME": "lambda",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "gateway.request_id": request.context.request_id,
        "lambda.context": context,
    }


def _headers(request: _Request) -> dict[str, str]:
    """
    Return the headers by their names in WSGI. Values are native strings: UTF-8 read as Latin-1.

    A name with an underscore is left out, because WSGI cannot tell it from one with a hyphen.
    """
    single = {name: [value] for name, value in (request.headers or {}).items()}
    merged: dict[str, list[str]] = {}
    for name, values in (request.multi_value_headers or single).items():
        if "_" not in name:
            merged.setdefault(f"HTTP_{name.upper().replace('-', '_')}", []).extend(values)
    if request.cookies:
        merged["HTTP_COOKIE"] = request.cookies
    return {
        name: ("; " if name == "HTTP_COOKIE" else ", ").join(values).encode().decode("latin-1")
        for name, values in merged.items()
    }


def _split_path(request: _RestRequest | _HttpRequest, host: str) -> tuple[str, str]:
    """Return the prefix that the stage adds to every path, and the path without it."""
    stage, path = request.context.stage, request.path
    prefix = f"/{stage}" if stage else ""
    if isinstance(request, _RestRequest):
        return (prefix if GATEWAY_HOST in host else ""), path
    if path == prefix or path.startswith(f"{prefix}/"):
        return prefix, path.removeprefix(prefix)
    return "", path


def _decode_body(request: _Request) -> bytes:
    body = request.body or ""
    try:
        return base64.b64decode(body, validate=True) if request.is_base64_encoded else body.encode()
    except ValueError as error:
        raise MalformedEventError("Expected base64 - at `$.body`") from error
