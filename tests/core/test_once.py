from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import TYPE_CHECKING

from apps.core.once import once
from tests.support.waiting import LIMIT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

THREADS = 8


class TestOnce:
    """Several threads ask for an object that is not built yet."""

    def test_builds_one_object_for_many_threads(self) -> None:
        built, has_begun, barrier = [], Event(), Barrier(THREADS)

        def build() -> object:
            has_begun.set()
            barrier.wait(LIMIT_SECONDS)  # until the other threads are about to ask
            built.append(object())
            return built[-1]

        def ask() -> object:
            barrier.wait(LIMIT_SECONDS)
            return get()

        get = once(build)
        with ThreadPoolExecutor(THREADS) as pool:
            first = pool.submit(get)
            assert has_begun.wait(LIMIT_SECONDS)
            futures = [pool.submit(ask) for _ in range(THREADS - 1)]
            objects = {id(future.result(60)) for future in [first, *futures]}
        assert len(built) == len(objects) == 1

    def test_keeps_one_object_for_each_argument(self) -> None:
        get: Callable[[str], list[str]] = once(lambda name: [name])
        assert get("a") is get("a")
        assert get("a") is not get("b")

    def test_builds_again_after_it_was_cleared(self) -> None:
        get = once(object)
        before = get()
        get.cache_clear()
        assert get() is not before

    def test_may_need_another_object_while_building(self) -> None:
        inner = once(object)
        assert once(lambda: [inner()])() == [inner()]
