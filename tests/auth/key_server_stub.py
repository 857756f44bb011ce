"""A key server that behaves as badly as a test wants it to, and counts how often it was asked."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.support.waiting import LIMIT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.token_factory import Signer

DRIP_SECONDS = 0.05
PATH = "/.well-known/jwks.json"


class Publisher(ThreadingHTTPServer):
    """Publishes a key set, unless `misbehave` is set to something else to do with the request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.document: bytes = b""
        self.misbehave: Callable[[BaseHTTPRequestHandler], None] | None = None
        self.asked: list[str] = []
        self.closing = threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        """Where the key set is."""
        return f"http://127.0.0.1:{self.server_port}{PATH}"

    def publish(self, *keys: Signer | dict[str, Any]) -> None:
        """Answer with these keys from now on, and behave."""
        jwks = [key if isinstance(key, dict) else key.jwk() for key in keys]
        self.document = json.dumps({"keys": jwks}).encode()
        self.misbehave = None
        self.asked.clear()

    def close(self) -> None:
        """Stop, and release the clients that wait."""
        self.closing.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that hang up are part of the game."""


class _Handler(BaseHTTPRequestHandler):
    server: Publisher
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if self.server.misbehave:
            self.server.misbehave(self)
        else:
            answer(self, self.server.document)

    def log_message(self, *_: Any) -> None:
        pass


def answer(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    """Send a whole answer."""
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def answering(body: bytes, status: int = 200, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """Misbehave by this answer."""
    return lambda handler: answer(handler, body, status, **headers)


def hanging(handler: BaseHTTPRequestHandler) -> None:
    """Accept the question and say nothing."""
    handler.server.closing.wait(LIMIT_SECONDS)  # type: ignore[attr-defined]


def dripping(handler: BaseHTTPRequestHandler) -> None:
    """Send a body octet by octet, each before a socket's time-out fires."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not handler.server.closing.wait(DRIP_SECONDS):  # type: ignore[attr-defined]
        handler.wfile.write(b"{")
        handler.wfile.flush()
