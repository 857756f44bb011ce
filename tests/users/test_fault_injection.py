"""
Every mutating operation, with every fault at every step of it.

Afterwards the stores agree or `reconcile_users --fix` makes them agree, and the same request,
repeated, succeeds. The faults are generated from the steps that a run without any was seen to take.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from io import StringIO
from itertools import count
from typing import Any

import pytest
from django.core.management import call_command

from apps.claims.hasura import VIEWER
from apps.core.aws import secrets
from apps.core.errors import ConflictError, NotFoundError
from apps.users.adapters import cognito
from apps.users.models import MopedUser, PendingChange
from tests.users.fault_injection import WAYS, Fault, attempt, observe_steps
from tests.users.killable_worker import KillableWorkers
from tests.users.stores import NEW_PASSWORD, Person, Snapshot, Stores, profile

pytestmark = [pytest.mark.slow(cost=65), pytest.mark.emulator]


class Case:
    """One operation on one person: how it is prepared, done, and seen to be done."""

    def __init__(self, person: Person) -> None:
        self.person = person

    def prepare(self) -> None:
        """Make what the operation needs."""

    def act(self) -> None:
        raise NotImplementedError

    def is_done(self) -> bool:
        row = self.person.stores.row(self.person.email)
        return row is not None and row.may_sign_in

    def problems(self, snapshot: Snapshot) -> list[str]:
        """Say where the stores contradict each other."""
        return snapshot.disagreements(*self.addresses)

    @property
    def addresses(self) -> tuple[str, ...]:
        return (self.person.email,)


class Create(Case):
    def act(self) -> None:
        self.person.create()


class Adopt(Create):
    def prepare(self) -> None:
        self.stray = cognito.create(email=self.person.email, password=NEW_PASSWORD, mark="")

    def is_done(self) -> bool:
        return super().is_done() and self.person.username == self.stray.username

    def problems(self, snapshot: Snapshot) -> list[str]:
        if self.person.stores.row(self.person.email):
            return super().problems(snapshot)
        # Until it is adopted, a stray account is what was there before.
        account = snapshot.accounts.get(self.person.email)
        return [] if account and account.username == self.stray.username else ["the stray is gone"]


class Activate(Case):
    def prepare(self) -> None:
        MopedUser.objects.create(**profile(self.person.email, is_deleted=True))

    def act(self) -> None:
        self.person.activate(role=VIEWER)


class Update(Case):
    changes: Mapping[str, Any] = {"roles": [VIEWER], "last_name": "Smith"}

    def prepare(self) -> None:
        self.user = self.person.admit()

    def act(self) -> None:
        self.person.update(NEW_PASSWORD, account=self.user.cognito_user_id, **self.changes)

    def is_done(self) -> bool:
        self.user.refresh_from_db()
        return all(getattr(self.user, name) == value for name, value in self.changes.items())


class Move(Update):
    @property
    def changes(self) -> Mapping[str, Any]:  # type: ignore[override]
        return {"email": self.addresses[1]}

    @property
    def addresses(self) -> tuple[str, ...]:
        return (self.person.email, f"new.{self.person.email}")


class Deactivate(Case):
    def prepare(self) -> None:
        self.user = self.person.admit()

    def act(self) -> None:
        self.person.deactivate(self.user.cognito_user_id)

    def is_done(self) -> bool:
        return self.person.row.is_deleted


CASES: tuple[type[Case], ...] = (Create, Adopt, Activate, Update, Move, Deactivate)


@pytest.fixture(scope="module")
def workers(provisioned_variables: Mapping[str, str], django_db_setup: None) -> Iterator[KillableWorkers]:
    """Processes that faults kill, with the same three stores."""
    with KillableWorkers(provisioned_variables) as workers:
        yield workers


@pytest.fixture
def cases(person: Person) -> Callable[[type[Case]], Case]:
    """Make a case with a person of its own."""
    numbers = count()

    def prepared(kind: type[Case]) -> Case:
        case = kind(person.named(f"n{next(numbers)}"))
        case.prepare()
        secrets.forget()  # so that every run takes the same steps
        return case

    return prepared


def run_with_fault(
    case: Case, fault: Fault, monkeypatch: pytest.MonkeyPatch, workers: KillableWorkers
) -> bool:
    """Run a case with a fault. Return False if it failed or its process was killed."""
    if fault.kills:
        workers.kill_by(fault, case)
        return False
    with observe_steps(monkeypatch, fault) as injector:
        succeeded = attempt(case.act)
    assert injector.has_injected, f"{fault} never happened"
    return succeeded


@dataclass
class Victim:
    """One person who suffered one fault."""

    case: Case
    fault: Fault
    succeeded: bool
    problems: list[str] = field(default_factory=list)

    @property
    def meets_the_leftovers(self) -> bool:
        """Whether the next attempt meets what the fault left, rather than what was repaired."""
        return self.fault.number % 2 == 0


def check(stores: Stores, victims: list[Victim]) -> None:
    """Note what is wrong after the faults, after the repair of every other one, and after the repetition."""
    snapshot = stores.snapshot()
    for victim in victims:
        victim.problems += unsafe(victim.case, snapshot)
        if victim.succeeded:
            victim.problems += victim.case.problems(snapshot)
            victim.problems += [] if victim.case.is_done() else ["it was called a success"]
    failures = [victim for victim in victims if not victim.succeeded]
    repair(stores, [victim for victim in failures if not victim.meets_the_leftovers])
    for victim in failures:
        repeat(victim.case)
    snapshot = stores.snapshot()
    for victim in victims:
        victim.problems += victim.case.problems(snapshot)
        leftovers = PendingChange.objects.filter(email__in=victim.case.addresses)
        victim.problems += [f"left behind: {leftover}" for leftover in leftovers]


def repeat(case: Case) -> None:
    """Do it again: it succeeds, unless it did before and only the answer was lost."""
    was_done = case.is_done()
    try:
        case.act()
    except (ConflictError, NotFoundError):
        if not was_done:
            raise
    assert case.is_done()


def repair(stores: Stores, victims: list[Victim]) -> None:
    """Have `reconcile_users` repair what it can, and note what is wrong then."""
    addresses = [address for victim in victims for address in victim.case.addresses] or ["a@b.gov"]
    with suppress(SystemExit):  # what only people can do is left, and the repetition does it
        call_command("reconcile_users", "--fix", "--grace=0", "--only", *addresses, stdout=StringIO())
    snapshot = stores.snapshot()
    for victim in victims:
        victim.problems += victim.case.problems(snapshot)


def unsafe(case: Case, snapshot: Snapshot) -> list[str]:
    """Return the inactive users who have claims. There must be none, not even for a moment."""
    return [
        f"{address} is inactive and has claims"
        for address in case.addresses
        if (row := case.person.stores.row(address))
        and row.is_deleted
        and snapshot.claims.get(address)
        and not PendingChange.objects.filter(email=address).exists()
    ]


# The most of them by far, and they reach what the others reach.
UNMEASURED = {"aws": pytest.mark.no_cover}


class TestEveryFault:
    @pytest.mark.parametrize("kind", [pytest.param(kind, marks=UNMEASURED.get(kind, ())) for kind in WAYS])
    @pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
    def test_leaves_nothing_behind(
        self,
        cases: Callable[[type[Case]], Case],
        workers: KillableWorkers,
        monkeypatch: pytest.MonkeyPatch,
        case: type[Case],
        kind: str,
        proof: bool,  # noqa: FBT001 (a fixture)
    ) -> None:
        undisturbed = cases(case)
        with observe_steps(monkeypatch) as injector:
            assert attempt(undisturbed.act)

        faults = list(injector.faults(kind))
        victims = []
        for fault in faults if proof else faults[::3]:
            disturbed = cases(case)
            victims.append(Victim(disturbed, fault, run_with_fault(disturbed, fault, monkeypatch, workers)))
        check(undisturbed.person.stores, victims)

        assert victims
        problems = {str(victim.fault): victim.problems for victim in victims if victim.problems}
        assert not problems, (problems, injector.log)
