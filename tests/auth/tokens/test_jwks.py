"""A key server that is slow, wrong, gone, or another server; attacks/key_sets has what it may publish."""

import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_ssl_devcert

from apps.auth.tokens import jwks
from tests.auth.signing import compact, key
from tests.support.http_stub import answering, dripping, hanging, sending
from tests.support.token_factory import Publisher
from tests.support.waiting import PRODUCTION_VALUES


class TestFetch:
    @pytest.mark.parametrize(
        ("path", "request_line"),
        [("/.well-known/jwks.json?a=b#c", "/.well-known/jwks.json?a=b"), ("", "/")],
    )
    def test_asks_for_the_whole_path_without_a_proxy(
        self, publisher: Publisher, monkeypatch: pytest.MonkeyPatch, path: str, request_line: str
    ) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        url = publisher.url.removesuffix("/.well-known/jwks.json")

        assert jwks.fetch(f"{url}{path}").keys() == {"pool-key-1", "pool-key-2"}
        assert publisher.asked == [request_line]

    @pytest.mark.parametrize("status", [101, 204, 301, 307, 404, 500])
    def test_refuses_every_status_but_200(self, publisher: Publisher, status: int) -> None:
        publisher.misbehave = answering(b"", status, Location=f"{publisher.url}/elsewhere")

        with pytest.raises(jwks.FetchError, match=f"it answered {status}"):
            jwks.fetch(publisher.url)
        assert len(publisher.asked) == 1  # no redirect is followed

    @pytest.mark.parametrize("octets", [b"\x00\x01\x02 this is not HTTP\r\n\r\n", b""])
    def test_survives(self, publisher: Publisher, octets: bytes) -> None:
        publisher.misbehave = sending(octets)

        with pytest.raises(jwks.FetchError):
            jwks.fetch(publisher.url)

    @pytest.mark.parametrize("misbehaviour", [hanging, dripping])
    def test_waits_no_longer_than_its_deadline(
        self, publisher: Publisher, monkeypatch: pytest.MonkeyPatch, misbehaviour: Any
    ) -> None:
        assert PRODUCTION_VALUES[jwks, "DEADLINE_SECONDS"] == 2.0
        monkeypatch.setattr(jwks, "DEADLINE_SECONDS", 0.2)  # more would only take longer
        publisher.misbehave = misbehaviour

        with pytest.raises(jwks.FetchError, match="no answer in time"):
            jwks.fetch(publisher.url)

    def test_reports_that_no_thread_can_be_started(
        self, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_thread: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", fail)

        with pytest.raises(jwks.FetchError, match="RuntimeError"):
            jwks.fetch(publisher.url)


class TestFetchOverTls:
    @pytest.fixture
    def certificate(self, tmp_path: Path) -> tuple[str, str]:
        return make_ssl_devcert(str(tmp_path / "localhost"), host="localhost")

    @pytest.fixture
    def url(self, certificate: tuple[str, str]) -> Iterator[str]:
        server = Publisher()
        server.document = compact({"keys": [key().jwk()]})
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        with server:
            yield server.url.replace("http://127.0.0.1", "https://localhost")

    def test_trusts_the_authorities_of_the_machine(
        self, url: str, certificate: tuple[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(jwks.FetchError, match="SSLCertVerificationError"):
            jwks.fetch(url)

        monkeypatch.setenv("SSL_CERT_FILE", certificate[0])
        assert jwks.fetch(url).keys() == {"pool-key-1"}
        with pytest.raises(jwks.FetchError, match="SSLCertVerificationError"):  # for another name
            jwks.fetch(url.replace("localhost", "127.0.0.1"))
