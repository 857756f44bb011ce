"""
Every mutating operation, with every fault at every step of it.

Afterwards the stores agree or `reconcile_users --fix` makes them agree, and the same request,
repeated, succeeds. The faults are generated from the steps that a run without any was seen to take.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from io import StringIO
from itertools import count
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from django.core.management import call_command

from apps.claims.hasura import VIEWER
from apps.core.aws import secrets
from apps.core.errors import ConflictError, NotFoundError
from apps.users.adapters import cognito
from apps.users.models import MopedUser, PendingChange
from tests.users.fault_injection import WAYS, Fault, attempt, observe_steps, run_with_fault
from tests.users.stores import NEW_PASSWORD, Person, profile

pytestmark = [pytest.mark.slow(cost=65), pytest.mark.emulator, pytest.mark.usefixtures("fork_server")]


class Operation(NamedTuple):
    """An operation on a person: what must be there before, and what the row says after it."""

    prepare: Callable[[Person], UUID | None]
    act: Callable[[Person, UUID | None], object]
    outcome: dict[str, Any]


def add_nothing(_person: Person) -> None:
    """Let the operation find nothing of the person."""


def add_stray_account(person: Person) -> UUID:
    return UUID(cognito.create(email=person.email, password=NEW_PASSWORD, mark="").username)


def add_inactive_row(person: Person) -> None:
    MopedUser.objects.create(**profile(person.email, is_deleted=True))


def admit(person: Person) -> UUID | None:
    return person.admit().cognito_user_id


def create(person: Person, _account: UUID | None) -> None:
    person.create()


def activate(person: Person, _account: UUID | None) -> None:
    person.activate(role=VIEWER)


def update(person: Person, account: UUID | None) -> None:
    person.update(NEW_PASSWORD, account=account, roles=[VIEWER], last_name="Smith")


def move(person: Person, account: UUID | None) -> None:
    person.update(NEW_PASSWORD, account=account, email=person.named("new").email)


OPERATIONS = {
    "create": Operation(add_nothing, create, {"may_sign_in": True}),
    "adopt": Operation(add_stray_account, create, {"may_sign_in": True}),
    "activate": Operation(add_inactive_row, activate, {"may_sign_in": True}),
    "update": Operation(admit, update, {"roles": [VIEWER], "last_name": "Smith"}),
    "move": Operation(admit, move, {"may_sign_in": True}),
    "deactivate": Operation(admit, Person.deactivate, {"is_deleted": True, "cognito_user_id": None}),
}


@dataclass
class Case:
    """An operation on a person of its own, who has this account before it, and the fault that it met."""

    name: str
    person: Person
    account: UUID | None
    fault: Fault | None = None
    succeeded: bool = False
    problems: list[str] = field(default_factory=list)

    def act(self) -> None:
        OPERATIONS[self.name].act(self.person, self.account)

    def is_done(self) -> bool:
        row = self.person.stores.row(self.addresses[-1])
        if row is None or (self.name == "adopt" and row.cognito_user_id != self.account):
            return False
        return all(getattr(row, name) == value for name, value in OPERATIONS[self.name].outcome.items())

    @property
    def addresses(self) -> list[str]:
        return [self.person.email, *([self.person.named("new").email] if self.name == "move" else [])]

    def disagreements(self) -> list[str]:
        """Say where the stores contradict each other. Until it is adopted, a stray account may stay."""
        stores = self.person.stores
        if self.name == "adopt" and stores.row(self.person.email) is None:
            account = stores.account(self.person.email)
            return [] if account and account.username == str(self.account) else ["the stray is gone"]
        return stores.disagreements(*self.addresses)

    def unsafe(self) -> list[str]:
        """Return the inactive users who have claims. There must be none, not even for a moment."""
        return [
            f"{address} is inactive and has claims"
            for address in self.addresses
            if (row := self.person.stores.row(address))
            and row.is_deleted
            and self.person.stores.claims(address)
            and not PendingChange.objects.filter(email=address).exists()
        ]

    def repeat(self) -> None:
        """Do it again: it succeeds, unless it did before and only the answer was lost."""
        was_done = self.is_done()
        try:
            self.act()
        except (ConflictError, NotFoundError):
            if not was_done:
                raise
        assert self.is_done()


@pytest.fixture
def prepared(person: Person) -> Callable[[str], Case]:
    """Make a case with a person of its own."""
    numbers = count()

    def prepare(name: str) -> Case:
        own_person = person.named(f"n{next(numbers)}")
        case = Case(name, own_person, OPERATIONS[name].prepare(own_person))
        secrets.forget()  # so that every run takes the same steps
        return case

    return prepare


def check(cases: list[Case]) -> None:
    """Note what is wrong after the faults, after the repair of every other one, and after the repetition."""
    for case in cases:
        case.problems += case.unsafe()
        if case.succeeded:
            case.problems += case.disagreements()
            case.problems += [] if case.is_done() else ["it was called a success"]
    failures = [case for case in cases if not case.succeeded]
    # The other half repeats the operation with what the fault left.
    repair([case for case in failures if case.fault and case.fault.number % 2])
    for case in failures:
        case.repeat()
    for case in cases:
        case.problems += case.disagreements()
        leftovers = PendingChange.objects.filter(email__in=case.addresses)
        case.problems += [f"left behind: {leftover}" for leftover in leftovers]


def repair(cases: list[Case]) -> None:
    """Have `reconcile_users` repair what it can, and note what is wrong then."""
    addresses = [address for case in cases for address in case.addresses] or ["a@b.gov"]
    with suppress(SystemExit):  # what only people can do is left, and the repetition does it
        call_command("reconcile_users", "--fix", "--grace=0", "--only", *addresses, stdout=StringIO())
    for case in cases:
        case.problems += case.disagreements()


# The most of them by far, and they reach what the others reach.
UNMEASURED = {"aws": pytest.mark.no_cover}


class TestEveryFault:
    @pytest.mark.parametrize("kind", [pytest.param(kind, marks=UNMEASURED.get(kind, ())) for kind in WAYS])
    @pytest.mark.parametrize("operation", OPERATIONS)
    def test_leaves_nothing_behind(
        self,
        prepared: Callable[[str], Case],
        monkeypatch: pytest.MonkeyPatch,
        operation: str,
        kind: str,
        proof: bool,  # noqa: FBT001 (a fixture)
    ) -> None:
        undisturbed = prepared(operation)
        with observe_steps(monkeypatch) as injector:
            assert attempt(undisturbed.act)

        faults = list(injector.faults(kind))
        cases = []
        for fault in faults if proof else faults[::3]:
            case = prepared(operation)
            has_happened, case.succeeded = run_with_fault(case.act, fault, monkeypatch)
            assert has_happened, f"{fault} never happened"
            case.fault = fault
            cases.append(case)
        check(cases)

        assert cases
        problems = {str(case.fault): case.problems for case in cases if case.problems}
        assert not problems, (problems, injector.log)
