"""One cache for keys, roles, secrets and readiness."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from apps.core.cache import NotLoadedError, RefreshingCache
from apps.core.errors import UnavailableError
from tests.support.clock import Clock
from tests.support.waiting import LIMIT_SECONDS

Cache = RefreshingCache[str, str]

FRESH, MAX_AGE, PAUSE, INTERVAL = 60, 360, 30, 10


class Source:
    """A service that counts its calls, and can fail or hang."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.error: Exception | None = None
        self.is_called, self.may_answer = threading.Semaphore(0), threading.Event()
        self.may_answer.set()

    def load(self, key: str) -> str:
        self.calls.append(key)
        self.is_called.release()
        answer = f"{key}{len(self.calls)}"
        assert self.may_answer.wait(LIMIT_SECONDS)
        if self.error:
            raise self.error
        return answer

    def cache(self, **options: Any) -> Cache:
        return RefreshingCache(self.load, FRESH, max_age=MAX_AGE, pause=PAUSE, **options)


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def cache(source: Source, clock: Clock) -> Cache:
    return source.cache()


class TestGet:
    def test_loads_once_while_the_value_is_fresh(self, cache: Cache, source: Source, clock: Clock) -> None:
        assert [cache.get("a"), cache.get("a"), cache.get("b")] == ["a1", "a1", "b2"]
        clock.passes(FRESH - 1)
        assert cache.get("a") == "a1"

        clock.passes(1)

        assert cache.get("a") == "a3"

    def test_uses_a_stale_value_and_pauses_while_the_source_fails(
        self, cache: Cache, source: Source, clock: Clock
    ) -> None:
        cache.get("a")
        source.error = UnavailableError()
        clock.passes(FRESH)

        for seconds, calls in ((0, 2), (PAUSE - 1, 2), (1, 3), (MAX_AGE - FRESH - PAUSE - 1, 4)):
            clock.passes(seconds)
            assert cache.get("a") == "a1"
            assert len(source.calls) == calls
        for seconds, options in ((0, {"allow_stale": False}), (1, {})):
            clock.passes(seconds)
            with pytest.raises(NotLoadedError):
                cache.get("a", **options)
        source.error = None
        clock.passes(PAUSE)
        assert cache.get("a") == "a5"

    def test_pauses_for_every_key_without_a_value(self, cache: Cache, source: Source, clock: Clock) -> None:
        source.error = UnavailableError("the reason")
        with pytest.raises(UnavailableError, match="the reason"):
            cache.get("a")
        source.error = None

        for key in "ab":
            with pytest.raises(NotLoadedError):
                cache.get(key)
        clock.passes(UnavailableError.retry_after)

        assert cache.get("b") == "b2"
        assert cache.get("a") == "a3"

    def test_does_not_load_again_for_callers_who_waited(
        self, cache: Cache, source: Source, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def give_up(_key: str) -> str:
            clock.passes(PAUSE)
            raise UnavailableError

        monkeypatch.setattr(cache, "load", give_up)
        with pytest.raises(UnavailableError):
            cache.get("a")
        monkeypatch.setattr(cache, "load", source.load)

        with pytest.raises(NotLoadedError):
            cache.get("b")

    def test_passes_other_exceptions_on_and_starts_no_pause(
        self, cache: Cache, source: Source, clock: Clock
    ) -> None:
        cache.get("a")
        clock.passes(FRESH)
        source.error = ZeroDivisionError()

        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                cache.get("a")
        assert len(source.calls) == 3

    def test_loads_again_after_the_clock_was_set_back(self, cache: Cache, clock: Clock) -> None:
        cache.get("a")

        clock.passes(-3600)

        assert cache.get("a") == "a2"

    def test_keeps_a_bounded_number_of_values(self, source: Source, clock: Clock) -> None:
        cache = source.cache(size=2)
        for key in "abac":
            cache.get(key)

        assert [cache.peek(key) for key in "abc"] == [None, "b2", "c3"]


class TestGetKnown:
    def test_loads_only_what_was_loaded_before(self, cache: Cache, source: Source, clock: Clock) -> None:
        assert cache.get_known("a") is None
        cache.get("a")
        assert cache.get_known("a") == "a1"

        clock.passes(FRESH)
        assert cache.get_known("a") == "a2"

        clock.passes(MAX_AGE)
        assert cache.get_known("a") is None


class TestRefresh:
    @pytest.mark.parametrize("error", [None, UnavailableError()])
    def test_loads_again_once_in_an_interval(
        self, cache: Cache, source: Source, clock: Clock, error: Exception | None
    ) -> None:
        cache.get("a")
        source.error = error

        for seconds, calls in ((0, 2), (INTERVAL - 1, 2), (1, 3)):
            clock.passes(seconds)
            assert cache.refresh("a", interval=INTERVAL) == ("a1" if error else f"a{calls}")
            assert len(source.calls) == calls


class TestClear:
    def test_drops_values_and_forgets_failures(self, cache: Cache, source: Source) -> None:
        cache.get("a")
        cache.get("b")
        cache.clear("a")
        assert (cache.peek("a"), cache.peek("b")) == (None, "b2")

        source.error = UnavailableError()
        with pytest.raises(UnavailableError):
            cache.get("a")
        source.error = None
        cache.clear()

        assert cache.get("b") == "b4"

    def test_drops_what_a_load_that_had_begun_stores(self, cache: Cache, source: Source) -> None:
        source.may_answer.clear()
        with ThreadPoolExecutor(2) as pool:
            pool.submit(cache.get, "a")
            source.is_called.acquire()
            pool.submit(cache.clear, "a")
            source.may_answer.set()

        assert cache.peek("a") is None


class TestThreads:
    def test_wait_for_the_one_that_loads(self, cache: Cache, source: Source) -> None:
        source.may_answer.clear()
        with ThreadPoolExecutor(8) as pool:
            loaded = [pool.submit(cache.get, "a") for _ in range(8)]
            source.is_called.acquire()
            source.may_answer.set()

        assert {each.result() for each in loaded} == {"a1"}
        assert source.calls == ["a"]

    @pytest.mark.parametrize("has_value", [True, False])
    def test_do_not_wait_after_a_failure(
        self, cache: Cache, source: Source, clock: Clock, *, has_value: bool
    ) -> None:
        if has_value:
            cache.get("a")
            clock.passes(FRESH)
        source.error = UnavailableError()
        assert outcome(cache) == ("a1" if has_value else UnavailableError)
        source.error = None
        clock.passes(PAUSE)

        assert self.outcome_while_another_loads(cache, source) == ("a1" if has_value else NotLoadedError)

    def test_use_the_stale_value_if_that_is_wanted(self, source: Source, clock: Clock) -> None:
        cache = source.cache(serve_stale=True)
        cache.get("a")
        clock.passes(FRESH)

        assert self.outcome_while_another_loads(cache, source) == "a1"

    def outcome_while_another_loads(self, cache: Cache, source: Source) -> object:
        source.is_called = threading.Semaphore(0)
        source.may_answer.clear()
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(cache.get, "a")
            source.is_called.acquire()
            result = outcome(cache)
            source.may_answer.set()
            assert first.result() == f"a{len(source.calls)}"
        return result


def outcome(cache: Cache) -> object:
    try:
        return cache.get("a")
    except UnavailableError as error:
        return type(error)
