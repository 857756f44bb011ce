"""
Random changes of the same few people: at the same moment, or one after the other with random faults.

*The database decides who can sign in with which roles*: at every moment for users without a pending
change, and for all users after `reconcile_users --fix`.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from io import StringIO
from random import Random
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db.models import Q

from apps.claims.hasura import ROLES
from apps.users.models import PendingChange
from tests.users.fault_injection import WAYS, Fault, run_with_fault
from tests.users.stores import Person, refusals_at_once

pytestmark = [pytest.mark.slow(cost=10), pytest.mark.emulator, pytest.mark.no_cover]

ADMINS = 4
# Steps of the longest operation and a few more, by their kind.
STEPS = {"aws": 9, "sql": 20, "commit": 4}


@pytest.fixture
def people(person: Person) -> list[Person]:
    """Three people, two of whom are users."""
    people = [person.named(name) for name in ("ann", "bob", "carl")]
    for user in people[:2]:
        user.admit()
    return people


def random_change(people: list[Person], random: Random) -> tuple[str, Callable[[], object]]:
    """Return what an admin tries, after a description of it."""
    name = random.choice(["create", "activate", "update", "update", "deactivate", "deactivate"])
    person, target, role = random.choice(people), random.choice(people), random.choice(ROLES)
    user = person.stores.row(person.email)
    account = (user.cognito_user_id if user else None) or uuid4()
    changes: dict[str, Callable[[], object]] = {
        "create": partial(person.create, roles=[role]),
        "activate": partial(person.activate, role=role),
        "update": partial(target.update, account=account, roles=[role]),
        "deactivate": partial(person.deactivate, account),
    }
    return f"{name} {person.email} {target.email} {role}", changes[name]


def random_fault(random: Random) -> Fault:
    """Return a fault at a step, or after the last one: then nothing goes wrong."""
    kind = random.choice([*STEPS])
    return Fault(kind, random.randrange(STEPS[kind]), random.choice(WAYS[kind]))


def has_pending_change(person: Person) -> bool:
    return PendingChange.objects.filter(Q(email=person.email) | Q(new_email=person.email)).exists()


class TestRandomChanges:
    @pytest.mark.parametrize("seed", range(2))
    def test_at_once_leave_nothing_to_repair(
        self,
        people: list[Person],
        seed: int,
        proof: bool,  # noqa: FBT001 (a fixture)
    ) -> None:
        random = Random(seed)  # noqa: S311 (to be repeated)

        for _ in range(100 if proof else 8):
            plan = [random_change(people, random) for _ in range(ADMINS)]
            refusals_at_once([change for _, change in plan])

            assert [person.disagreements() for person in people] == [[]] * len(people), plan
            assert not PendingChange.objects.exists(), plan

    @pytest.mark.usefixtures("fork_server")
    @pytest.mark.parametrize("seed", range(4))
    def test_with_faults_end_as_the_database_says(
        self,
        people: list[Person],
        monkeypatch: pytest.MonkeyPatch,
        seed: int,
        proof: bool,  # noqa: FBT001 (a fixture)
    ) -> None:
        random, history = Random(seed), []  # noqa: S311 (to be repeated)
        addresses = [person.email for person in people]

        for _ in range(10 if proof else 1):
            for _ in range(8):
                (name, change), fault = random_change(people, random), random_fault(random)
                history.append(f"{name}: {fault}")
                run_with_fault(change, fault, monkeypatch)
                for person in people:
                    assert has_pending_change(person) or person.disagreements() == [], history
            with suppress(SystemExit):
                call_command("reconcile_users", "--fix", "--grace=0", "--only", *addresses, stdout=StringIO())
            assert [person.disagreements() for person in people] == [[]] * len(people), history

        for person in people:
            row = person.stores.row(person.email)
            expected_roles = list(row.login_roles) if row and row.may_sign_in else None
            assert person.roles_at_sign_in() == expected_roles, history
