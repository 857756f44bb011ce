"""A key server that is slow, wrong, gone, or another server."""

import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.auth.tokens import jwks_client
from tests.support import wsgi_server
from tests.support.http_stub import answering, dripping, hanging, sending
from tests.support.token_factory import Publisher
from tests.support.waiting import PRODUCTION_VALUES


@pytest.fixture
def short_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait a fifth of a second where the real deadline would only take longer."""
    monkeypatch.setattr(jwks_client, "DEADLINE_SECONDS", 0.2)


class TestFetch:
    @pytest.mark.parametrize(
        ("path", "request_line"),
        [("/.well-known/jwks.json?a=b#c", "/.well-known/jwks.json?a=b"), ("", "/")],
    )
    def test_asks_for_the_whole_path(self, publisher: Publisher, path: str, request_line: str) -> None:
        url = publisher.url.removesuffix("/.well-known/jwks.json")

        assert jwks_client.fetch(f"{url}{path}") == publisher.document
        assert publisher.asked == [request_line]

    def test_accepts_64_kilobytes_at_most(self, publisher: Publisher) -> None:
        publisher.document = b"x" * 65_536
        assert len(jwks_client.fetch(publisher.url)) == 65_536

        publisher.document += b"x"
        with pytest.raises(jwks_client.FetchError, match="longer than 65536"):
            jwks_client.fetch(publisher.url)

    @pytest.mark.parametrize("status", [101, 204, 301, 307, 403, 404, 500])
    def test_refuses_every_status_but_200(self, publisher: Publisher, status: int) -> None:
        publisher.misbehave = answering(b"", status, Location=f"{publisher.url}/elsewhere")

        with pytest.raises(jwks_client.FetchError, match=f"it answered {status}"):
            jwks_client.fetch(publisher.url)
        assert len(publisher.asked) == 1  # no redirect is followed

    @pytest.mark.parametrize("octets", [b"\x00\x01\x02 this is not HTTP\r\n\r\n", b""])
    def test_survives(self, publisher: Publisher, octets: bytes) -> None:
        publisher.misbehave = sending(octets)

        with pytest.raises(jwks_client.FetchError):
            jwks_client.fetch(publisher.url)

    def test_returns_no_more_than_came(self, publisher: Publisher) -> None:
        publisher.misbehave = sending(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"keys":[')

        assert jwks_client.fetch(publisher.url) == b'{"keys":['

    def test_has_a_deadline_of_two_seconds(self) -> None:
        assert PRODUCTION_VALUES[jwks_client, "DEADLINE_SECONDS"] == 2.0

    @pytest.mark.usefixtures("short_deadline")
    @pytest.mark.parametrize("misbehaviour", [hanging, dripping])
    def test_waits_no_longer_than_its_deadline(self, publisher: Publisher, misbehaviour: Any) -> None:
        publisher.misbehave = misbehaviour

        with pytest.raises(jwks_client.FetchError, match="no answer in time"):
            jwks_client.fetch(publisher.url)

    def test_reports_that_no_thread_can_be_started(
        self, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_thread: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", fail)

        with pytest.raises(jwks_client.FetchError, match="RuntimeError"):
            jwks_client.fetch(publisher.url)

    def test_knows_no_proxies(self, publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")

        assert jwks_client.fetch(publisher.url) == publisher.document


class TestFetchOverTls:
    @pytest.fixture
    def certificate(self, tmp_path: Path) -> Path:
        return wsgi_server.write_certificate(tmp_path / "certificate.pem")

    @pytest.fixture
    def url(self, certificate: Path) -> Iterator[str]:
        server = Publisher()
        server.document = b"over TLS"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        with server:
            yield server.url.replace("http://127.0.0.1", "https://localhost")

    def test_trusts_the_authorities_of_the_machine(
        self, url: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(jwks_client.FetchError, match="SSLCertVerificationError"):
            jwks_client.fetch(url)

        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert jwks_client.fetch(url) == b"over TLS"
        with pytest.raises(jwks_client.FetchError, match="SSLCertVerificationError"):  # for another name
            jwks_client.fetch(url.replace("localhost", "127.0.0.1"))
