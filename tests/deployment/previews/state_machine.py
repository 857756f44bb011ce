"""
Pull requests come, change and go in any order, and commands are cut off anywhere, beside staging.

What must hold is written down once, in `Lives`: whatever has a URL answers, with code and settings
of one and the same commit; a command that was not disturbed has done all of it; in the end every
open request answers with its own commit, of closed ones nothing is there, and what stays has not
changed by a byte.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from apps.deployment.previews.aws_errors import EXPIRED_SENTENCE
from tests.deployment.previews.fault_proxy import AFTER, BEFORE, Plan

if TYPE_CHECKING:
    from tests.deployment.previews.aws_account import Account
    from tests.deployment.previews.command_runner import Typed, Typist

BUSY = 4
# How many calls a command makes, or one more: what is cut off after its end was not.
CALLS = {"up": 44, "down": 17, "sweep": 40}


@dataclass
class Figures:
    """What was done in all."""

    operations: Counter[str] = field(default_factory=Counter)
    kills: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    most_open: int = 0
    leftovers: int = 0
    longest: float = 0.0
    longest_at_aws: float = 0.0

    def __str__(self) -> str:
        done = ", ".join(f"{count} {name}" for name, count in sorted(self.operations.items()))
        return (
            f"{self.operations.total()} operations ({done}), {self.kills.total()} kills at {len(self.kills)}"
            f" different points, at most {self.most_open} open at once; left over: {self.leftovers};"
            f" the longest command took {self.longest:.1f} s, {self.longest_at_aws:.1f} s of it the emulator"
        )


@dataclass
class World:
    """Where it is played."""

    account: Account
    typists: list[Typist]
    numbers: int = 3
    figures: Figures = field(default_factory=Figures)

    def __post_init__(self) -> None:
        self.packages = {mark: self.account.stand_in(mark) for mark in ("a", "b")}
        self.overlay = str(self.account.overlay())

    def up(self, number: int, commit: str) -> list[str]:
        """Return the words that bring a preview to a commit; its first letter says of which package."""
        package = str(self.packages[commit[0]].path)
        return [
            "preview",
            "up",
            str(number),
            "--commit",
            commit,
            "--package",
            package,
            "--overlay",
            self.overlay,
        ]

    def type(self, words: list[str], plan: Plan | None = None, typist: int = 0) -> Typed:
        """Type a command and look at how it ended: well, with one sentence, or killed."""
        begun = time.monotonic()
        plan = plan or Plan()
        typed = self.typists[typist].type(plan, *words)
        took = time.monotonic() - begun
        self.figures.operations[words[1]] += 1
        if took > self.figures.longest:
            self.figures.longest, self.figures.longest_at_aws = took, typed.plan.seconds
        if typed.plan.cut:
            self.figures.kills[words[1], typed.plan.at, typed.plan.moment] += 1
        else:
            lines = typed.error.splitlines()
            assert typed.code in {0, 1, 3, BUSY}, typed
            assert len(lines) == bool(typed.code), typed
        return typed


@dataclass
class Request:
    """A pull request."""

    commit: str
    is_open: bool = True
    is_kept: bool = False
    # Commits that a preview may answer with: the last that was brought whole, and any that was begun since.
    seen: set[str] = field(default_factory=set)
    is_sure: bool = False  # that it stands as the last command should have left it


EVENTS = (
    "pushed",
    "tried_again",
    "pushed",
    "closed",
    "pushed",
    "swept",
    "lapsed",
    "swept",
    "pushed_twice_at_once",
    "uploaded",
    "closed_unheard",
)
MOMENTS = st.integers(0, 10_000)
KILLS = st.builds(Plan, at=MOMENTS, moment=st.sampled_from([BEFORE, AFTER]))
EXPIRIES = st.tuples(MOMENTS).map(lambda drawn: Plan(at=drawn[0], expires=True))
DISTURBANCES = st.one_of(KILLS, KILLS, KILLS, KILLS, st.none(), EXPIRIES)


class Lives(RuleBasedStateMachine):
    """The lives of some pull requests."""

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.requests: dict[int, Request] = {}
        self.commits = self.steps = 0

    # ---- what happens --------------------------------------------------------------------------------

    @rule(event=MOMENTS, drawn=MOMENTS, plan=DISTURBANCES, package=st.sampled_from("ab"), kept=st.booleans())
    def happens(self, event: int, drawn: int, plan: Plan | None, package: str, kept: bool) -> None:  # noqa: FBT001 (drawn)
        """Something happens to one request; each step is salted, for hypothesis likes to begin with zeros."""
        self.steps += 1
        if plan:
            plan.at += 13 * self.steps
        number = (drawn + self.steps) % self.world.numbers + 1
        request = self.requests.setdefault(number, Request(self._commit(package)))
        what = EVENTS[(event + self.steps) % len(EVENTS)]
        if what == "pushed":
            request.commit, request.is_open, request.is_kept = self._commit(package), True, kept
            self._bring(number, plan)
        else:
            getattr(self, what)(number, plan)

    def tried_again(self, number: int, plan: Plan | None) -> None:
        """A job is started again."""
        if self.requests[number].is_open:
            self._bring(number, plan)
        else:
            self._remove(number, plan)

    def closed(self, number: int, plan: Plan | None) -> None:
        """A request is closed."""
        self.requests[number].is_open = False
        self._remove(number, plan)

    def closed_unheard(self, number: int, _plan: Plan | None) -> None:
        """A request is closed and no job runs: the sweep's business."""
        self.requests[number].is_open = self.requests[number].is_sure = False

    def pushed_twice_at_once(self, number: int, _plan: Plan | None) -> None:
        """Two pushes are brought at the same time: who gives way says so, and nothing is mixed."""
        request = self.requests[number]
        request.is_open, request.is_sure = True, False
        commits = [self._commit("a"), self._commit("b")]
        request.commit, request.seen = commits[1], request.seen | set(commits)
        with ThreadPoolExecutor(2) as pool:
            both = list(
                pool.map(
                    lambda each: self.world.type(self.world.up(number, each[1]), typist=each[0]),
                    enumerate(commits),
                )
            )
        assert {typed.code for typed in both} <= {0, BUSY}, both
        self._look(number)

    def lapsed(self, number: int, _plan: Plan | None) -> None:
        """A preview's time is over."""
        if self.requests[number].is_open and self.requests[number].is_sure:
            self.world.account.lapse(number)

    def uploaded(self, number: int, _plan: Plan | None) -> None:
        """Somebody posts a file with a form that was signed there: too late, perhaps."""
        bucket, key = self.world.account.bucket, f"previews/{number}/private/user/1/x_x_x_plan.pdf"
        self.world.account.client("s3").put_object(Bucket=bucket, Key=key, Body=b"%PDF")

    def swept(self, _number: int, plan: Plan | None) -> None:
        """The night comes."""
        self._sweep(plan)

    def teardown(self) -> None:
        """Let every job run once more, undisturbed, and look at everything; then close all and look again."""
        for number, request in self.requests.items():
            if request.is_open:
                self._bring(number, None)
        self._sweep(None)
        still_open = self._open()
        self._count(still_open)
        for number in sorted(still_open):
            self._remove(number, None)
        self._count(set())
        assert self.world.account.staying() == self.world.account.fingerprint

    # ---- how, and what must hold ---------------------------------------------------------------------

    def _bring(self, number: int, plan: Plan | None) -> None:
        request = self.requests[number]
        request.is_sure = False
        request.seen.add(request.commit)
        typed = self._type(self.world.up(number, request.commit), plan)
        if typed.code == 0:
            request.seen, request.is_sure = {request.commit}, True
            assert not self.world.account.has_lapsed(number), typed
        self._ended_as_planned(typed)
        self._look(number)

    def _remove(self, number: int, plan: Plan | None) -> None:
        request = self.requests[number]
        request.is_sure = False
        typed = self._type(["preview", "down", str(number)], plan)
        if typed.code == 0:
            request.is_sure = True
            assert not self._of(number), (typed, self._of(number))
        self._ended_as_planned(typed)

    def _sweep(self, plan: Plan | None) -> None:
        open_ones = [
            f"{number}:keep" if request.is_kept else str(number)
            for number, request in self.requests.items()
            if request.is_open
        ]
        # Asked, not remembered: what was cut off may have given it a new time, or not yet.
        going = {
            number
            for number, request in self.requests.items()
            if not request.is_open or (self.world.account.has_lapsed(number) and not request.is_kept)
        }
        typed = self._type(["preview", "sweep", "--yes", "--spare", "0", "--open", *open_ones], plan)
        for number in going:
            request = self.requests[number]
            if typed.code == 0:
                assert not self._of(number), (typed, self._of(number))
                request.seen, request.is_sure = set(), not request.is_open
            else:
                request.is_sure = False
        self._ended_as_planned(typed)
        for number in self._open():
            self._look(number)

    def _type(self, words: list[str], plan: Plan | None) -> Typed:
        if plan:
            plan.at %= CALLS[words[1]]
        return self.world.type(words, plan)

    def _ended_as_planned(self, typed: Typed) -> None:
        """What was not disturbed ends well; whose credentials expired says so, in one sentence."""
        if typed.plan.expires and typed.plan.at < typed.plan.calls:
            assert typed.code in ({1, 3} if typed.words[1] == "sweep" else {1}), typed
            assert EXPIRED_SENTENCE in typed.error, typed
        elif not typed.plan.cut:
            assert typed.code == 0, typed

    def _look(self, number: int) -> None:
        """Whatever can be reached answers, and is whole."""
        request = self.requests[number]
        url = self.world.account.url(number)
        if not url:
            assert not request.is_sure, f"pr_{number} should answer and has no URL"
            return
        status, said = self.world.account.ask(url)
        assert status == 200, (number, status, said)
        assert said["stage"] == f"pr_{number}"
        assert said["built"] == said["commit"][0], "code of one commit, settings of another"
        assert said["commit"] in request.seen, (number, said, request)
        if request.is_sure:
            assert said["commit"] == request.commit, (number, said, request)

    def _count(self, still_open: set[int]) -> None:
        """Of closed requests nothing is there, and of open ones nothing but their own."""
        things = self.world.account.of_previews()
        own = {number: self._of(number, things) for number in still_open}
        assert all(own.values()), own
        left = set(things) - {thing for of_one in own.values() for thing in of_one}
        self.world.figures.leftovers += len(left)
        self.world.figures.most_open = max(self.world.figures.most_open, len(still_open))
        assert not left, sorted(left)
        for number in still_open:
            self._look(number)

    def _of(self, number: int, things: list[str] | None = None) -> list[str]:
        name = f"moped-api-pr-{number}"
        return [
            thing
            for thing in (self.world.account.of_previews() if things is None else things)
            if thing.removesuffix(":*").endswith(name) or f" previews/{number}/" in thing
        ]

    def _open(self) -> set[int]:
        return {number for number, request in self.requests.items() if request.is_open}

    def _commit(self, package: str) -> str:
        self.commits += 1
        return f"{package}{self.commits:03}-{json.dumps(len(self.requests))}"
