"""
The wire between a command and AWS: it counts the calls, and can cut the command off at any of them.

A command is ended by SIGKILL, as a runner that goes away ends it: before AWS has heard of the
call, or after AWS has done it and before the command has heard so. Between two calls nothing
changes but memory, so these are all the moments there are.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.support.waiting import LIMIT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

BEFORE, AFTER = "before", "after"
EXPIRED = (
    b'{"__type": "ExpiredTokenException", "message": "The security token included in the request is expired"}'
)
ERROR = (
    b"<Error><Code>ExpiredToken</Code><Message>The token included in the request is expired</Message></Error>"
)
XML = {"s3": ERROR, "iam": b"<ErrorResponse>" + ERROR + b"</ErrorResponse>"}
XML["cloudformation"] = XML["iam"]


@dataclass
class Plan:
    """What happens to one command at its nth call; with no moment it runs undisturbed."""

    at: int = -1
    moment: str = ""
    expires: bool = False  # from the nth call on, its credentials have expired
    calls: int = 0
    cut: bool = False
    seconds: float = 0.0  # that AWS took
    pid: threading.Event = field(default_factory=threading.Event)
    process: int = 0

    def begun(self, process: int) -> None:
        """Say which process it is."""
        self.process = process
        self.pid.set()

    def kill(self) -> None:
        """End the command."""
        self.pid.wait(LIMIT_SECONDS)
        self.cut = True
        with suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)


class Wire(ThreadingHTTPServer):
    """One end of it, for one command at a time."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, aws_port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Call)
        self.aws_port = aws_port
        self.plan = Plan()
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        """What AWS_ENDPOINT_URL must say."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a command that was cut off in the middle of a sentence."""


@contextmanager
def laid(aws_port: int) -> Iterator[Wire]:
    """Lay a wire and take it away again."""
    wire = Wire(aws_port)
    threading.Thread(target=wire.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield wire
    finally:
        wire.shutdown()
        wire.server_close()


class _Call(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Wire

    def do_GET(self) -> None:
        """Count, carry, and cut where the plan says so."""
        plan, body = self.server.plan, self._body()
        with self.server.lock:
            number, plan.calls = plan.calls, plan.calls + 1
        if plan.expires and number >= plan.at:
            self._answer(403, *_expired(self.headers["Authorization"]))
            return
        if (plan.at, plan.moment) == (number, BEFORE):
            plan.kill()
            return
        begun = time.monotonic()
        answer = self._carry(body)
        plan.seconds += time.monotonic() - begun
        if (plan.at, plan.moment) == (number, AFTER):
            plan.kill()
            return
        self._answer(*answer)

    do_POST = do_PUT = do_DELETE = do_HEAD = do_GET  # noqa: N815 (the base class asks for these names)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return self._chunks()
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _carry(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = HTTPConnection("127.0.0.1", self.server.aws_port, timeout=LIMIT_SECONDS)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in {"connection", "content-length", "expect", "transfer-encoding"}:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in {"connection", "content-length", "transfer-encoding"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


def _expired(authorization: str) -> tuple[list[tuple[str, str]], bytes]:
    """Return how a service says it; which one is asked stands in the scope of the signature."""
    service = authorization.partition("Credential=")[2].split("/")[3]
    if service in XML:
        return [("Content-Type", "text/xml")], XML[service]
    return [("x-amzn-ErrorType", "ExpiredTokenException"), ("Content-Type", "application/json")], EXPIRED
