"""Which keys are the pool's now: the life of a key set (test_cache shows what the cache itself does)."""

import logging
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import pytest

from apps.auth.tokens import jwks, keys, verifier
from apps.auth.tokens.errors import KeysUnavailableError, KeyUnknownError, SignatureInvalidError
from tests.auth.signing import compact, id_payload, key
from tests.support.clock import Clock
from tests.support.http_stub import answering
from tests.support.token_factory import Publisher, base64url
from tests.support.waiting import LIMIT_SECONDS

HOUR = 3600
OUT_OF_ORDER = answering(b"", 500)


@cache
def token(kid: str = "pool-key-1") -> str:
    return key(kid).sign(id_payload(exp=4_000_000_000))


def refused(kid: str) -> bool:
    try:
        verifier.verify(token(kid))
    except KeyUnknownError:
        return True
    return False


class TestFirstNeed:
    def test_is_the_first_well_formed_token(self, publisher: Publisher) -> None:
        for nonsense in ("null", "", "a.b.c", "A.A.A"):
            with pytest.raises(verifier.TokenError):
                verifier.verify(nonsense)
        assert publisher.asked == []

        verifier.verify(token())

        assert len(publisher.asked) == 1
        assert set(keys.current().keys) == {"pool-key-1", "pool-key-2"}

    def test_fetches_once_until_the_retry_after_has_passed(self, publisher: Publisher, clock: Clock) -> None:
        publisher.misbehave = OUT_OF_ORDER
        for _ in range(10):
            with pytest.raises(KeysUnavailableError) as refusal:
                verifier.verify(token())
        assert len(publisher.asked) == 1  # no retry inside a request, no storm from many
        publisher.misbehave = None

        clock.passes(refusal.value.retry_after - 1)
        with pytest.raises(KeysUnavailableError):
            verifier.verify(token())
        clock.passes(1)

        assert verifier.verify(token())


class TestRenewal:
    def test_is_hourly_and_keeps_what_was_verified(self, publisher: Publisher, clock: Clock) -> None:
        before, pool = verifier.verify(token()), keys.current()

        clock.passes(HOUR - 1)
        verifier.verify(token())
        assert len(publisher.asked) == 1

        clock.passes(1)
        assert {id(verifier.verify(token())) for _ in range(10)} == {id(before)}
        assert len(publisher.asked) == 2
        assert keys.current() is pool

    @pytest.mark.parametrize(
        ("key_set", "error"),
        [
            (lambda: [key("pool-key-2")], KeyUnknownError),
            (lambda: [key("another").jwk(kid="pool-key-1")], SignatureInvalidError),
            (list, KeysUnavailableError),
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
        with pytest.raises(KeysUnavailableError):
            verifier.verify(token())

        publisher.misbehave = None
        clock.passes(3)
        assert verifier.verify(token())

    def test_is_logged_with_its_reason(
        self, publisher: Publisher, clock: Clock, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "apps.auth.tokens.keys")
        verifier.verify(token())
        publisher.publish(key("pool-key-2"))
        clock.passes(HOUR)
        keys.current()
        publisher.misbehave = answering(b"{}")
        clock.passes(HOUR)
        keys.current()
        publisher.misbehave = OUT_OF_ORDER
        clock.passes(HOUR)
        keys.current()

        lines = [(record.message, vars(record)) for record in caplog.records]
        assert [(event, more.get("kids") or more["reason"]) for event, more in lines] == [
            ("key_set_changed", ["pool-key-1", "pool-key-2"]),
            ("key_set_changed", ["pool-key-2"]),
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
                with pytest.raises(KeyUnknownError):
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

        fetch = jwks.fetch

        def slow(url: str) -> Any:
            has_request.set()
            go_on.wait(LIMIT_SECONDS)
            return fetch(url)

        monkeypatch.setattr(jwks, "fetch", slow)
        with ThreadPoolExecutor(1) as pool:
            asker = pool.submit(refused, "unknown")
            assert has_request.wait(LIMIT_SECONDS)

            assert verifier.verify(token())  # known keys: unaffected
            assert refused("another")  # unknown ones: refused at once

            assert not asker.done()
            go_on.set()
            assert asker.result()


class TestReset:
    def test_forgets_keys_and_verified_tokens(self, publisher: Publisher) -> None:
        text = token()
        before = verifier.verify(text)

        keys.reset()

        assert verifier.verify(text) is not before
        assert len(publisher.asked) == 2
