"""The proof, bounded: pull requests live in any order beside staging and production, and nothing is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.conftest import FIGURES
from tests.deployment.previews.state_machine import Lives

if TYPE_CHECKING:
    from collections.abc import Callable

    from apps.deployment.package import builder
    from tests.deployment.previews.state_machine import World

pytestmark = [pytest.mark.slow(cost=60), pytest.mark.emulator]

SEED = 20261125
BOUNDED = settings(
    max_examples=1,
    stateful_step_count=20,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class TestLives:
    def test_leave_nothing_behind_in_whatever_order_and_wherever_they_are_cut_off(
        self, world: World, record_property: Callable[[str, object], None]
    ) -> None:
        class Bounded(Lives):
            pass

        Bounded.world = world
        run_state_machine_as_test(seed(SEED)(Bounded), settings=BOUNDED)

        record_property(FIGURES, f"previews: {world.figures}")
        assert world.figures.leftovers == 0
        assert world.figures.kills


class TestPackage:
    def test_built_once_answers_at_each_preview_with_its_own_commit(
        self, world: World, built: builder.Package
    ) -> None:
        account = world.account
        overlay = str(account.overlay(MOPED_API_BROWSER_PAGES="false"))  # they are in staging's package only
        commits = {number: f"commit-{number}" for number in (71, 72, 73)}
        for number, commit in commits.items():
            words = ["--commit", commit, "--package", str(built.path), "--overlay", overlay]
            assert world.type(["preview", "up", str(number), *words]).code == 0

        answers = {number: account.ask(account.url(number)) for number in commits}

        assert {number: said["commit"] for number, (_, said) in answers.items()} == commits
        assert {said["stage"] for _, said in answers.values()} == {"pr_71", "pr_72", "pr_73"}
        assert world.type(["preview", "sweep", "--yes", "--spare", "0", "--open"]).code == 0
        assert account.of_previews() == []
        assert account.staying() == account.fingerprint
