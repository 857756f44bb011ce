"""
Random operations with random faults, and one invariant.

*The database decides who can sign in with which roles*: at every moment for users without a pending
change, and for all users after `reconcile_users --fix`.
"""

import itertools
from collections.abc import Callable
from contextlib import suppress
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import Q
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from apps.auth.callers import CognitoUser
from apps.claims.hasura import ROLES
from apps.users.models import PendingChange
from tests.users.fault_injection import AWS_WAYS, COMMIT_WAYS, SQL_WAYS, Fault, attempt, observe_steps
from tests.users.stores import Person, Stores

pytestmark = [pytest.mark.slow(cost=5), pytest.mark.emulator, pytest.mark.no_cover]

PEOPLE = st.sampled_from(["ann", "bob"])
ROLE = st.sampled_from(ROLES)
FAULTS = st.one_of(
    st.none(),
    st.builds(Fault, st.just("aws"), st.integers(0, 6), st.sampled_from(AWS_WAYS)),
    st.builds(Fault, st.just("sql"), st.integers(0, 14), st.sampled_from(SQL_WAYS)),
    st.builds(Fault, st.just("commit"), st.integers(0, 2), st.sampled_from(COMMIT_WAYS)),
)
lives = itertools.count()


class Lives(RuleBasedStateMachine):
    """Two people, what is done to them, and what goes wrong."""

    def __init__(self, stores: Stores, admin: CognitoUser, monkeypatch: pytest.MonkeyPatch, tag: str) -> None:
        super().__init__()
        self.stores, self.admin, self.monkeypatch = stores, admin, monkeypatch
        self.domain = f"{next(lives)}.{tag}"
        self.addresses = [self.person(name).email for name in ("ann", "bob", "carl")]
        self.person("ann").admit()  # so that there is a user to change from the start

    def person(self, name: str) -> Person:
        return Person(self.stores, self.admin, f"{name}.{self.domain}")

    def attempt(self, fault: Fault | None, act: Callable[[], object]) -> None:
        with observe_steps(self.monkeypatch, fault):
            attempt(act)

    def account(self, name: str) -> Any:
        user = self.stores.row(self.person(name).email)
        return user.cognito_user_id if user else None

    @rule(name=PEOPLE, role=ROLE, fault=FAULTS)
    def create(self, name: str, role: str, fault: Fault | None) -> None:
        self.attempt(fault, lambda: self.person(name).create(roles=[role]))

    @rule(name=PEOPLE, role=ROLE, to=st.sampled_from(["ann", "bob", "carl"]), fault=FAULTS)
    def update(self, name: str, role: str, to: str, fault: Fault | None) -> None:
        if account := self.account(name):
            self.attempt(fault, lambda: self.person(to).update(account=account, roles=[role]))

    @rule(name=PEOPLE, role=ROLE, fault=FAULTS)
    def activate(self, name: str, role: str, fault: Fault | None) -> None:
        self.attempt(fault, lambda: self.person(name).activate(role=role))

    @rule(name=PEOPLE, fault=FAULTS)
    def deactivate(self, name: str, fault: Fault | None) -> None:
        if account := self.account(name):
            self.attempt(fault, lambda: self.person(name).deactivate(account))

    @rule()
    def reconcile(self) -> None:
        with suppress(SystemExit):
            call_command(
                "reconcile_users", "--fix", "--grace=0", "--only", *self.addresses, stdout=StringIO()
            )
        assert self.stores.disagreements(*self.addresses) == []

    @invariant()
    def stores_agree(self) -> None:
        for address in self.addresses:
            about = PendingChange.objects.filter(Q(email=address) | Q(new_email=address))
            if not about.exists():
                assert self.stores.disagreements(address) == []

    def teardown(self) -> None:
        self.reconcile()
        for address in self.addresses:
            row = self.stores.row(address)
            expected_roles = list(row.login_roles) if row and row.may_sign_in else None
            assert self.stores.roles_at_sign_in(address) == expected_roles


def test_end_as_the_database_says(
    stores: Stores,
    admin: CognitoUser,
    monkeypatch: pytest.MonkeyPatch,
    email: str,
    proof: bool,  # noqa: FBT001 (a fixture)
) -> None:
    run_state_machine_as_test(
        lambda: Lives(stores, admin, monkeypatch, email),  # type: ignore[arg-type]  # what makes one will do
        settings=settings(
            max_examples=40 if proof else 4,
            stateful_step_count=8,
            deadline=None,
            database=None,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
