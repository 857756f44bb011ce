"""The proof, bounded: pull requests live in any order beside staging and production, and nothing is left."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.stages.previews.machine import Lives

if TYPE_CHECKING:
    from tests.stages.previews.machine import World

pytestmark = [pytest.mark.emulator, pytest.mark.timeout(300)]

SECONDS = 45  # after which no new operation is begun; what was begun is ended and looked at
SEED = 20261125
BOUNDED = settings(
    max_examples=4,
    stateful_step_count=14,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class TestLives:
    def test_leave_nothing_behind_in_whatever_order_and_wherever_they_are_cut_off(
        self, world: World, capsys: pytest.CaptureFixture[str]
    ) -> None:
        class Bounded(Lives):
            pass

        Bounded.world = world
        world.until = time.monotonic() + SECONDS
        run_state_machine_as_test(seed(SEED)(Bounded), settings=BOUNDED)

        with capsys.disabled():
            pass
        assert world.figures.leftovers == 0
        assert world.figures.kills
