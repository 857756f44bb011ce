"""gunicorn behind a proxy that speaks TLS, with the options of docs/operations.md."""

import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.gunicorn_server import STAGE, Gunicorn
from tests.support.waiting import LIMIT_SECONDS

PROXY = "127.0.0.2"  # on loopback too, and yet not an address that gunicorn trusts by itself
SECRET = "code-of-a-sign-in"


def get(server: Gunicorn, path: str, *, peer: str, **headers: str) -> tuple[int, str]:
    """Return status and Location of a request from this address."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=LIMIT_SECONDS, source_address=(peer, 0))
    try:
        connection.request("GET", path, headers={"Host": "testserver", **headers})
        response = connection.getresponse()
        response.read()
        return response.status, response.headers.get("Location", "")
    finally:
        connection.close()


def send(server: Gunicorn, line: bytes) -> bytes:
    """Send this request line as it is, and return the answer."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT_SECONDS) as connection:
        connection.sendall(line + b"\r\nHost: testserver\r\nConnection: close\r\n\r\n")
        with connection.makefile("rb") as answer:
            return answer.read()


@pytest.fixture(scope="module")
def gunicorn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gunicorn]:
    variables = {**STAGE, "DATABASE_URL": "postgresql:///missing"}
    log = tmp_path_factory.mktemp("gunicorn") / "log"
    server = Gunicorn(log, variables, "--forwarded-allow-ips", PROXY, "--log-level", "error")
    server.start()
    yield server
    server.stop()


class TestRedirectUri:
    @pytest.mark.parametrize(
        ("peer", "headers", "scheme"),
        [
            (PROXY, {"X-Forwarded-Proto": "https"}, "https"),
            (PROXY, {"X-Forwarded-Proto": "http"}, "http"),
            (PROXY, {}, "http"),
            ("127.0.0.1", {"X-Forwarded-Proto": "https"}, "http"),
        ],
        ids=["TLS at the proxy", "no TLS at the proxy", "a proxy that does not say", "a stranger's word"],
    )
    def test_has_the_scheme_that_the_proxy_names(
        self, gunicorn: Gunicorn, peer: str, headers: dict[str, str], scheme: str
    ) -> None:
        status, location = get(gunicorn, "/auth/sign-in", peer=peer, **headers)

        redirect_uri = parse_qs(urlsplit(location).query)["redirect_uri"]
        assert (status, redirect_uri) == (302, [f"{scheme}://testserver/auth/callback"])


class TestLog:
    @pytest.mark.parametrize(
        "line",
        [
            f"GET /auth/callback?code={SECRET} HTTP/1.1",
            f"GET /auth/callback?code={SECRET} HTTP/9.9",
            f"GET /auth/callback?code={SECRET} and more HTTP/1.1",
            f"GET /auth/callback?code={SECRET}",
            f"{SECRET}",
        ],
    )
    def test_has_no_request_line(self, gunicorn: Gunicorn, line: str) -> None:
        assert b"HTTP/1.1 4" in send(gunicorn, line.encode())

        assert SECRET not in gunicorn.log.read_text()

    def test_has_our_own_line_for_a_request(self, gunicorn: Gunicorn) -> None:
        get(gunicorn, f"/auth/callback?code={SECRET}", peer="127.0.0.1")

        assert '"event":"request"' in gunicorn.log.read_text()
