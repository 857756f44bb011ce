"""An HTTP server that answers AWS calls in one way: wrongly, partly, or not at all."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Self

from tests.support.waiting import LIMIT_SECONDS

if TYPE_CHECKING:
    from types import TracebackType

LARGEST_REQUEST = 65536


class AnsweringServer:
    """
    Answers each connection with the same octets.

    :param answer: the status line, headers and body; None for no answer, with the connection open
    """

    def __init__(self, answer: bytes | None) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._open: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.requests = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(LIMIT_SECONDS)
        self._listener.close()
        for connection in self._open:
            connection.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # closed
            self.requests += 1
            self._open.append(connection)
            if self._answer is not None:
                connection.recv(LARGEST_REQUEST)
                connection.sendall(self._answer)
                connection.shutdown(socket.SHUT_WR)


def json_answer(body: bytes, *, length: int | None = None) -> bytes:
    """Return a 200 of AWS with this body, whose header may promise more."""
    headers = (
        "HTTP/1.1 200 OK",
        "Content-Type: application/x-amz-json-1.1",
        f"Content-Length: {len(body) if length is None else length}",
        "Connection: close",
    )
    return "\r\n".join((*headers, "", "")).encode() + body
