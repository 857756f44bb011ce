"""An HTTP server on loopback that answers as badly as a test wants, and notes what it was asked."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Misbehaviour = Callable[["Request"], None]


DRIP_SECONDS = 0.05


class StubServer(ThreadingHTTPServer):
    """
    Answers with a document for as long as the `with` block.

    :param misbehave: something else to do with each request
    """

    daemon_threads = True

    def __init__(self, misbehave: Misbehaviour | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.document = b""
        self.misbehave = misbehave
        self.asked: list[str] = []
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop, and release the clients that wait."""
        self.closing.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: tests let clients hang up."""


class Request(BaseHTTPRequestHandler):
    """One request, and its answer."""

    server: StubServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave together, or a client would wait for delayed acknowledgements

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.server.misbehave:
            self.server.misbehave(self)
        else:
            self.answer(self.server.document)

    do_POST = do_GET  # noqa: N815 (http.server's name)

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        """Send a whole answer."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Print nothing: pytest shows what matters."""


def answering(body: bytes, status: int = 200, **headers: str) -> Misbehaviour:
    """Misbehave by this answer."""
    return lambda request: request.answer(body, status, **headers)


def sending(octets: bytes) -> Misbehaviour:
    """Misbehave by these octets, and hang up."""

    def send(request: Request) -> None:
        request.wfile.write(octets)
        request.close_connection = True

    return send


def hanging(request: Request) -> None:
    """Accept the question and say nothing."""
    request.server.closing.wait()


def dripping(request: Request) -> None:
    """Send a body octet by octet, each before a socket's time-out fires."""
    request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not request.server.closing.wait(DRIP_SECONDS):
        request.wfile.write(b"{")
        request.wfile.flush()
