"""`make prove-previews`: many at once, every kill point there is, then forty requests in random order."""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from apps.deployment.package import runtime_environment
from apps.devstack.emulator import Emulator, free_port
from tests.deployment.previews.aws_account import Account
from tests.deployment.previews.command_runner import Typist
from tests.deployment.previews.fault_proxy import AFTER, BEFORE, Plan, laid
from tests.deployment.previews.state_machine import Lives, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NUMBERS = 40
AT_ONCE = 32
EXAMPLES, STEPS = 4, 60
SEED = 20261125
NUMBER = 7

Words = list[str]


@contextmanager
def _world(numbers: int) -> Iterator[World]:
    """An account, and two who type there."""
    with tempfile.TemporaryDirectory(prefix="moped-previews-") as name, ExitStack() as open_ones:
        folder = Path(name)
        python = runtime_environment.python()
        emulator = Emulator(folder / "aws", free_port(), durable=False, function_python=python)
        open_ones.callback(emulator.stop)
        emulator.start()
        account = Account(emulator, folder)
        account.furnish()
        account.remember()
        wires = [open_ones.enter_context(laid(emulator.port)) for _ in range(2)]
        typists = [Typist(wire, folder / f"typed-{number}") for number, wire in enumerate(wires)]
        for typist in typists:
            open_ones.enter_context(typist)
        yield World(account, typists, numbers)


def main() -> None:
    """Prove it, and say how."""
    begun = time.monotonic()
    with _world(NUMBERS) as world:
        _many_at_once(world)
        _cut_off_everywhere(world)
        _at_random(world)
        _say(f"{world.figures}")
    _say(f"{time.monotonic() - begun:.0f} seconds")
    sys.exit(1 if world.figures.leftovers else 0)


def _cut_off_everywhere(world: World) -> None:
    """Kill each command before and after each of its calls; the next run mends it."""
    first, second = world.up(NUMBER, "a-first"), world.up(NUMBER, "b-second")
    down = ["preview", "down", str(NUMBER)]
    sweep = ["preview", "sweep", "--yes", "--spare", "0", "--open"]
    for name, given, words, then in (
        ("a down", first, down, down),
        ("a down, then up", first, down, second),
        ("a sweep", first, sweep, sweep),
        ("the first up", None, first, first),
        ("an up, then down", None, first, down),
        ("an update", first, second, second),
        ("an update, then down", first, second, down),
    ):
        count = sum(_every_point(world, given, words, then, moment) for moment in (BEFORE, AFTER))
        assert world.account.staying() == world.account.fingerprint
        _say(f"{name}: killed at {count} points, each mended by the next run")


def _every_point(world: World, given: Words | None, words: Words, then: Words, moment: str) -> int:
    at = 0
    while True:
        _must(world, given or ["preview", "down", str(NUMBER)])
        plan = Plan(at=at, moment=moment)
        typed = world.type(words, plan)
        _whole_or_hidden(world)
        if not plan.cut:
            assert typed.code == 0, typed
            _must(world, ["preview", "down", str(NUMBER)])
            return at
        _must(world, then)
        _as_said(world, then)
        at += 1


def _whole_or_hidden(world: World) -> None:
    url = world.account.url(NUMBER)
    if url:
        status, said = world.account.ask(url)
        assert status == 200, said
        assert said["built"] == said["commit"][0], said


def _as_said(world: World, words: Words) -> None:
    if words[1] == "up":
        said = world.account.ask(world.account.url(NUMBER))[1]
        assert said["commit"] == words[words.index("--commit") + 1], said
    else:
        assert world.account.of_previews() == [], world.account.of_previews()


def _must(world: World, words: Words) -> None:
    typed = world.type(words)
    assert typed.code == 0, typed


def _many_at_once(world: World) -> None:
    """Have many open at the same time; each answers with its own commit."""
    commits = {number: f"{'ab'[number % 2]}-of-{number}" for number in range(1, AT_ONCE + 1)}
    for number, commit in commits.items():
        _must(world, world.up(number, commit))
    answers = {number: world.account.ask(world.account.url(number))[1]["commit"] for number in commits}
    assert answers == commits
    world.figures.most_open = max(world.figures.most_open, len(commits))
    even = [str(number) for number in commits if number % 2 == 0]
    _must(world, ["preview", "sweep", "--yes", "--spare", "0", "--open", *even])
    left = [number for number in commits if world.account.url(number)]
    assert left == [int(number) for number in even], left
    _must(world, ["preview", "sweep", "--yes", "--spare", "0", "--open"])
    assert world.account.of_previews() == []
    _say(f"{AT_ONCE} open at once, each with its own commit; half of them swept, then all")


def _at_random(world: World) -> None:
    Lives.world = world
    run: Callable[..., None] = run_state_machine_as_test
    run(
        seed(SEED)(Lives),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
