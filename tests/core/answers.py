"""An HTTP server that answers AWS calls in one way: wrongly, partly, or not at all."""

from __future__ import annotations

from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Event, Thread
from typing import Self

from tests.support.waiting import LIMIT_SECONDS

LARGEST_REQUEST = 65536


class AnsweringServer(ThreadingTCPServer):
    """
    Answers each connection with the same octets.

    :param answer: the status line, headers and body; None for no answer, with the connection open
    """

    daemon_threads = True

    def __init__(self, answer: bytes | None) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.answer = answer
        self.requests = 0
        self.is_over = Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.is_over.set()
        self.shutdown()
        self.server_close()


class _Connection(BaseRequestHandler):
    server: AnsweringServer

    def handle(self) -> None:
        self.server.requests += 1
        if self.server.answer is None:
            self.server.is_over.wait(LIMIT_SECONDS)
        else:
            self.request.recv(LARGEST_REQUEST)
            self.request.sendall(self.server.answer)


def json_answer(body: bytes, *, length: int | None = None) -> bytes:
    """Return a 200 of AWS with this body, whose header may promise more."""
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nConnection: close\r\n"
        f"Content-Length: {len(body) if length is None else length}\r\n\r\n"
    )
    return head.encode() + body
