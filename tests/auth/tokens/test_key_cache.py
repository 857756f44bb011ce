"""Keys over time, and a key server that is slow, wrong or gone; attacks/key_sets has what it may publish."""

import logging
import ssl
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from werkzeug.serving import make_ssl_devcert

from apps.auth.tokens import errors, key_cache, verifier
from tests.auth.signing import compact, id_payload, key
from tests.support.clock import Clock
from tests.support.http_stub import answering, dripping, hanging, sending
from tests.support.token_factory import Publisher, base64url
from tests.support.waiting import LIMIT_SECONDS, PRODUCTION_VALUES

HOUR = 3600
OUT_OF_ORDER = answering(b"", 500)


@cache
def token(kid: str = "pool-key-1") -> str:
    return key(kid).sign(id_payload(exp=4_000_000_000))


def refused(kid: str) -> bool:
    try:
        verifier.verify(token(kid))
    except errors.KeyUnknownError:
        return True
    return False


class TestFetch:
    def test_asks_for_the_whole_path_without_a_proxy(
        self, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")

        assert key_cache.fetch(f"{publisher.url}?a=b#c").keys() == {"pool-key-1", "pool-key-2"}
        assert publisher.asked == ["/.well-known/jwks.json?a=b"]

    @pytest.mark.parametrize("status", [101, 204, 301, 500])
    def test_refuses_every_status_but_200(self, publisher: Publisher, status: int) -> None:
        publisher.misbehave = answering(b"", status, Location=f"{publisher.url}/elsewhere")

        with pytest.raises(key_cache.FetchError, match=f"it answered {status}"):
            key_cache.fetch(publisher.url)
        assert len(publisher.asked) == 1  # no redirect is followed

    @pytest.mark.parametrize("octets", [b"\x00\x01\x02 this is not HTTP\r\n\r\n", b""])
    def test_survives(self, publisher: Publisher, octets: bytes) -> None:
        publisher.misbehave = sending(octets)

        with pytest.raises(key_cache.FetchError):
            key_cache.fetch(publisher.url)

    @pytest.mark.parametrize("misbehaviour", [hanging, dripping])
    def test_waits_no_longer_than_its_deadline(
        self, publisher: Publisher, monkeypatch: pytest.MonkeyPatch, misbehaviour: Any
    ) -> None:
        assert PRODUCTION_VALUES[key_cache, "DEADLINE_SECONDS"] == 2.0
        monkeypatch.setattr(key_cache, "DEADLINE_SECONDS", 0.2)  # more would only take longer
        publisher.misbehave = misbehaviour

        with pytest.raises(key_cache.FetchError, match="no answer in time"):
            key_cache.fetch(publisher.url)

    def test_reports_that_no_thread_can_be_started(
        self, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(threading.Thread, "start", Mock(side_effect=RuntimeError))

        with pytest.raises(key_cache.FetchError, match="RuntimeError"):
            key_cache.fetch(publisher.url)

    def test_trusts_the_authorities_of_the_machine(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server = Publisher()
        certificate, private_key = make_ssl_devcert(str(tmp_path / "localhost"), host="localhost")
        server.document = compact({"keys": [key().jwk()]})
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, private_key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        with server:
            url = server.url.replace("http:", "https:")
            with pytest.raises(key_cache.FetchError, match="SSLCertVerificationError"):
                key_cache.fetch(url.replace("127.0.0.1", "localhost"))

            monkeypatch.setenv("SSL_CERT_FILE", certificate)
            assert key_cache.fetch(url.replace("127.0.0.1", "localhost")).keys() == {"pool-key-1"}
            with pytest.raises(key_cache.FetchError, match="SSLCertVerificationError"):  # for another name
                key_cache.fetch(url)


class TestFirstNeed:
    def test_is_the_first_well_formed_token(self, publisher: Publisher) -> None:
        for nonsense in ("null", "", "a.b.c", "A.A.A"):
            with pytest.raises(errors.TokenError):
                verifier.verify(nonsense)
        assert publisher.asked == []

        verifier.verify(token())

        assert len(publisher.asked) == 1

    def test_fetches_once_until_the_retry_after_has_passed(self, publisher: Publisher, clock: Clock) -> None:
        publisher.misbehave = OUT_OF_ORDER
        for _ in range(10):
            with pytest.raises(errors.KeysUnavailableError) as refusal:
                verifier.verify(token())
        assert len(publisher.asked) == 1  # no retry inside a request, no storm from many
        publisher.misbehave = None

        clock.passes(refusal.value.retry_after - 1)
        with pytest.raises(errors.KeysUnavailableError):
            verifier.verify(token())
        clock.passes(1)

        assert verifier.verify(token())


class TestRenewal:
    def test_is_hourly_and_keeps_what_was_verified(self, publisher: Publisher, clock: Clock) -> None:
        before, trusted = verifier.verify(token()), key_cache.current()

        clock.passes(HOUR - 1)
        verifier.verify(token())
        assert len(publisher.asked) == 1

        clock.passes(1)
        assert {id(verifier.verify(token())) for _ in range(10)} == {id(before)}
        assert len(publisher.asked) == 2
        assert key_cache.current() is trusted

    @pytest.mark.parametrize(
        ("key_set", "error"),
        [
            (lambda: [key("pool-key-2")], errors.KeyUnknownError),
            (lambda: [key("another").jwk(kid="pool-key-1")], errors.SignatureInvalidError),
            (list, errors.KeysUnavailableError),
        ],
        ids=["withdrawn", "replaced under its id", "empty set"],
    )
    def test_counts_for_verified_tokens_too(
        self, publisher: Publisher, clock: Clock, key_set: Callable[[], list[Any]], error: type[Exception]
    ) -> None:
        verifier.verify(token())
        publisher.publish(*key_set())
        clock.passes(HOUR)
        with pytest.raises(error):
            verifier.verify(token())

        publisher.publish(key("pool-key-1"))
        clock.passes(HOUR)
        assert verifier.verify(token())

    def test_that_fails_goes_on_with_the_known_keys_for_a_day(
        self, publisher: Publisher, clock: Clock
    ) -> None:
        verifier.verify(token())
        publisher.misbehave = OUT_OF_ORDER
        clock.passes(HOUR)

        for seconds, fetches in ((0, 2), (59, 2), (1, 3), (23 * HOUR - 61, 4)):
            clock.passes(seconds)
            assert [verifier.verify(token()) for _ in range(10)]
            assert len(publisher.asked) == fetches
        clock.passes(1)
        with pytest.raises(errors.KeysUnavailableError):
            verifier.verify(token())

    def test_is_logged_with_its_reason(
        self, publisher: Publisher, clock: Clock, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "apps.auth.tokens.key_cache")
        verifier.verify(token())
        for misbehaviour in (answering(b"{}"), OUT_OF_ORDER):
            publisher.misbehave = misbehaviour
            clock.passes(HOUR)
            key_cache.current()

        lines = [(record.message, vars(record)) for record in caplog.records]
        assert [(event, more.get("kids") or more["reason"]) for event, more in lines] == [
            ("key_set_changed", ["pool-key-1", "pool-key-2"]),
            ("key_set_not_fetched", "the answer is no key set"),
            ("key_set_not_fetched", "it answered 500"),
        ]


class TestUnknownKid:
    @pytest.mark.parametrize("misbehaviour", [None, OUT_OF_ORDER], ids=["healthy", "failing"])
    def test_costs_one_fetch_in_ten_seconds(
        self, publisher: Publisher, clock: Clock, misbehaviour: Any
    ) -> None:
        verifier.verify(token())
        publisher.misbehave = misbehaviour
        _, _, rest = key("attacker").sign(id_payload()).partition(".")
        for _ in range(20):
            clock.passes(1)
            for _ in range(20):
                header = base64url(compact({"kid": uuid.uuid4().hex, "alg": "RS256"}))
                with pytest.raises(errors.KeyUnknownError):
                    verifier.verify(f"{header}.{rest}")
            assert verifier.verify(token())
        assert len(publisher.asked) == 1 + 2  # 400 kids in 20 seconds

        publisher.publish(key("pool-key-1"), key("pool-key-3"))
        assert refused("pool-key-3")
        clock.passes(10)
        assert not refused("pool-key-3")

    def test_does_not_keep_others_waiting(
        self, publisher: Publisher, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        verifier.verify(token())
        clock.passes(10)
        has_request, go_on = threading.Event(), threading.Event()

        fetch = key_cache.fetch

        def slow(url: str) -> Any:
            has_request.set()
            go_on.wait(LIMIT_SECONDS)
            return fetch(url)

        monkeypatch.setattr(key_cache, "fetch", slow)
        with ThreadPoolExecutor(1) as executor:
            asker = executor.submit(refused, "unknown")
            assert has_request.wait(LIMIT_SECONDS)

            assert verifier.verify(token())  # known keys: unaffected
            assert refused("another")  # unknown ones: refused at once

            assert not asker.done()
            go_on.set()
            assert asker.result()


class TestReset:
    def test_forgets_keys_and_verified_tokens(self, publisher: Publisher) -> None:
        before = verifier.verify(token())

        key_cache.reset()

        assert verifier.verify(token()) is not before
        assert len(publisher.asked) == 2
