"""A key server that is slow, wrong, gone, or another server."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from apps.auth.tokens import jwks_client
from tests.auth.key_server_stub import answering, dripping, hanging
from tests.auth.signing import key
from tests.support.waiting import LIMIT_SECONDS, PRODUCTION_VALUES

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from tests.auth.key_server_stub import Publisher

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"


@pytest.fixture
def short_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait a fifth of a second where the real deadline would only take longer."""
    monkeypatch.setattr(jwks_client, "DEADLINE_SECONDS", 0.2)


def conversations() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "key-set"]


def garbage(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"\x00\x01\x02 this is not HTTP\r\n\r\n")


def hanging_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


def promising_more(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"keys":[')
    handler.close_connection = True


def endless_headers(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X-More: x\r\n" * 1000)


class TestFetch:
    def test_returns_the_body(self, publisher: Publisher) -> None:
        assert jwks_client.fetch(publisher.url) == publisher.document

    def test_asks_for_the_whole_path(self, publisher: Publisher) -> None:
        jwks_client.fetch(f"{publisher.url}?a=b#c")

        assert publisher.asked == ["/.well-known/jwks.json?a=b"]

    def test_asks_for_the_root_where_there_is_no_path(self, publisher: Publisher) -> None:
        jwks_client.fetch(publisher.url.removesuffix("/.well-known/jwks.json"))

        assert publisher.asked == ["/"]

    def test_accepts_64_kilobytes(self, publisher: Publisher) -> None:
        publisher.document = b"x" * 65_536

        assert len(jwks_client.fetch(publisher.url)) == 65_536

    @pytest.mark.parametrize("length", [65_537, 10_000_000])
    def test_refuses_more_than_that(self, publisher: Publisher, length: int) -> None:
        publisher.document = b"x" * length

        with pytest.raises(jwks_client.FetchError, match="longer than 65536"):
            jwks_client.fetch(publisher.url)

    @pytest.mark.parametrize("status", [101, 201, 204, 301, 304, 400, 403, 404, 429, 500, 503])
    def test_refuses_every_status_but_200(self, publisher: Publisher, status: int) -> None:
        publisher.misbehave = answering(b"", status)

        with pytest.raises(jwks_client.FetchError, match=f"it answered {status}"):
            jwks_client.fetch(publisher.url)

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_follows_no_redirect(self, publisher: Publisher, status: int) -> None:
        publisher.misbehave = answering(b"", status, Location=f"{publisher.url}/elsewhere")

        with pytest.raises(jwks_client.FetchError):
            jwks_client.fetch(publisher.url)
        assert len(publisher.asked) == 1

    @pytest.mark.parametrize("misbehaviour", [garbage, hanging_up, endless_headers])
    def test_survives(self, publisher: Publisher, misbehaviour: object) -> None:
        publisher.misbehave = misbehaviour  # type: ignore[assignment]

        with pytest.raises(jwks_client.FetchError):
            jwks_client.fetch(publisher.url)

    def test_returns_no_more_than_came(self, publisher: Publisher) -> None:
        publisher.misbehave = promising_more

        assert jwks_client.fetch(publisher.url) == b'{"keys":['

    @pytest.mark.usefixtures("short_deadline")
    @pytest.mark.parametrize(
        "misbehaviour",
        [
            pytest.param(hanging, id="nothing-comes"),
            pytest.param(dripping([b"H", b"T"] * 200), id="the-status-drips"),
            pytest.param(dripping([b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 200]), id="headers-drip"),
            pytest.param(dripping([HEAD, *[b"{"] * 200]), id="the-body-drips"),
        ],
    )
    def test_waits_no_longer_than_its_deadline(self, publisher: Publisher, misbehaviour: object) -> None:
        publisher.misbehave = misbehaviour  # type: ignore[assignment]

        with pytest.raises(jwks_client.FetchError, match=r"no answer within 0\.2 s"):
            jwks_client.fetch(publisher.url)

        for conversation in conversations():
            conversation.join(LIMIT_SECONDS)
        assert conversations() == []  # what was given up ends as well

    def test_goes_on_after_a_thread_that_could_not_start(
        self, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def exhausted(_thread: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        with monkeypatch.context() as patch:
            patch.setattr(jwks_client._Conversation, "start", exhausted)
            with pytest.raises(jwks_client.FetchError):
                jwks_client.fetch(publisher.url)

        assert jwks_client.fetch(publisher.url) == publisher.document

    @pytest.mark.usefixtures("short_deadline")
    def test_has_one_thread_while_name_resolution_hangs(
        self, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        look_up, looking, may_go_on = socket.getaddrinfo, threading.Event(), threading.Event()
        looked_up: list[Any] = []

        def hang(*arguments: Any, **options: Any) -> Any:
            looked_up.append(arguments)
            looking.set()
            may_go_on.wait(LIMIT_SECONDS)
            return look_up(*arguments, **options)

        monkeypatch.setattr(socket, "getaddrinfo", hang)
        for _ in range(3):
            with pytest.raises(jwks_client.FetchError):
                jwks_client.fetch(publisher.url)
        assert looking.wait(LIMIT_SECONDS)

        assert len(looked_up) == len(conversations()) == 1

        may_go_on.set()
        monkeypatch.setattr(jwks_client, "DEADLINE_SECONDS", LIMIT_SECONDS)
        assert jwks_client.fetch(publisher.url) == publisher.document
        assert len(publisher.asked) == 1  # the late one was given up

    def test_has_a_deadline_of_two_seconds(self) -> None:
        assert PRODUCTION_VALUES[jwks_client, "DEADLINE_SECONDS"] == 2.0

    def test_reports_a_refused_connection(self) -> None:
        with pytest.raises(jwks_client.FetchError, match="ConnectionRefusedError"):
            jwks_client.fetch("http://127.0.0.1:1/")

    @pytest.mark.parametrize(
        "url",
        [
            "http://cognito-idp.us-east-1.amazonaws.com/x",
            "http://127.0.0.1.attacker.example/x",
            "http://127.0.0.1@attacker.example/x",
            "ftp://127.0.0.1/x",
            "wss://127.0.0.1/x",
            "file:///etc/passwd",
            "https:///x",
            "//127.0.0.1/x",
            "",
        ],
    )
    def test_refuses_what_is_neither_https_nor_loopback(self, url: str) -> None:
        with pytest.raises(jwks_client.FetchError, match="neither https nor on this machine"):
            jwks_client.fetch(url)

    def test_knows_no_proxies(self, publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")

        assert jwks_client.fetch(publisher.url) == publisher.document


class TestFetchOverTls:
    @pytest.fixture
    def certificate(self, tmp_path: Path, publisher: Publisher) -> Path:
        """Make the publisher speak TLS under a certificate of its own."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        signer = key("tls").private
        certificate = (
            x509.CertificateBuilder(name, name, signer.public_key(), x509.random_serial_number())
            .not_valid_before(datetime.now(UTC) - timedelta(days=1))
            .not_valid_after(datetime.now(UTC) + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .sign(signer, hashes.SHA256())
        )
        path = tmp_path / "certificate.pem"
        private = signer.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
        return path

    @pytest.fixture
    def url(self, certificate: Path) -> object:
        from tests.auth.key_server_stub import Publisher  # noqa: PLC0415 (a second one, of its own)

        server = Publisher()
        server.document = b"over TLS"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        yield server.url.replace("http://127.0.0.1", "https://localhost")
        server.close()

    def test_trusts_whom_the_machine_trusts(
        self, url: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

        assert jwks_client.fetch(url) == b"over TLS"

    def test_refuses_a_stranger(self, url: str) -> None:
        with pytest.raises(jwks_client.FetchError, match="SSLCertVerificationError"):
            jwks_client.fetch(url)

    def test_refuses_another_name(self, url: str, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

        with pytest.raises(jwks_client.FetchError, match="SSLCertVerificationError"):
            jwks_client.fetch(url.replace("localhost", "127.0.0.1"))
