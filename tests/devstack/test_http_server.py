import json
import socket
from collections.abc import Callable, Iterable, Iterator
from threading import Thread

import pytest

from apps.devstack.http_server import Server


def application(_environ: object, start_response: Callable[..., object]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Length", "2")])
    return [b"{}"]


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), None)
    server.set_app(application)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def said(server: Server, request: bytes) -> tuple[str, dict[str, str], bytes]:
    """Return status, headers and body of the answer to some bytes."""
    with socket.create_connection(server.server_address[:2]) as line:  # type: ignore[arg-type]
        line.sendall(request)
        with line.makefile("rb") as answer:
            head, _, body = answer.read().partition(b"\r\n\r\n")
    status, *fields = head.decode().split("\r\n")
    pairs = (field.partition(": ") for field in fields)
    return status, {name.lower(): value for name, _, value in pairs}, body


class TestServer:
    def test_tells_no_version(self, server: Server) -> None:
        status, headers, _ = said(server, b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")

        assert status == "HTTP/1.1 200 OK"
        assert "server" not in headers

    @pytest.mark.parametrize(
        ("request_", "status"),
        [
            (b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 70_000 + b"\r\n\r\n", 431),
            (b"GET / HTTP/1.1\r\n" + b"X-Many: x\r\n" * 200 + b"\r\n", 431),
            (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
            (b"GET / HTTP/one\r\n\r\n", 400),
            (b'GET /%00"\\ HTTP/1.1 and more\r\n\r\n', 400),
        ],
        ids=["a long header", "many headers", "a long path", "no version", "no request line"],
    )
    def test_refuses_in_the_one_body(self, server: Server, request_: bytes, status: int) -> None:
        line, headers, body = said(server, request_)

        assert line.split()[1] == str(status)
        problem = json.loads(body)
        assert (problem["status"], problem["code"]) == (status, "bad_request")
        assert problem["request_id"] == headers["x-request-id"]
        assert headers["content-type"] == "application/problem+json"
        assert headers["access-control-allow-origin"] == "*"
        assert "server" not in headers
