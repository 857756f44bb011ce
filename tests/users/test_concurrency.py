"""
Admins who change the same few people at the same moment, over and over.

Nothing fails here except because of the other admins, so nothing is left to repair: when all have
their response, the stores agree.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from random import Random
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from django.db import connection

from apps.claims.hasura import VIEWER
from apps.core.errors import ConflictError, NotFoundError
from apps.users.models import MopedUser, PendingChange
from tests.users.stores import Person

pytestmark = [pytest.mark.slow(cost=5), pytest.mark.emulator, pytest.mark.no_cover]

ADMINS = 4


def attempt(barrier: Barrier, operation: Callable[[], object]) -> None:
    """Wait for the other admins, and act on a connection of its own."""
    barrier.wait()
    try:
        with suppress(ConflictError, NotFoundError):
            operation()
    finally:
        connection.close()


def operations(people: list[Person], random: Random) -> dict[str, Callable[[], object]]:
    """Return what each admin tries in one round, by a description."""
    accounts = dict(MopedUser.objects.values_list("email", "cognito_user_id"))
    planned: dict[str, Callable[[], object]] = {}
    for number in range(ADMINS):
        name = random.choice(["create", "activate", "move", "move", "deactivate", "deactivate"])
        person, target = random.choice(people), random.choice(people)
        account = accounts.get(person.email) or uuid4()
        by_name: dict[str, Callable[[], object]] = {
            "create": partial(person.create, roles=[VIEWER]),
            "activate": person.activate,
            "move": partial(target.update, account=account),
            "deactivate": partial(person.deactivate, account),
        }
        planned[f"{number} {name} {person.email} {target.email}"] = by_name[name]
    return planned


class TestCrowds:
    @pytest.mark.parametrize("seed", range(2))
    def test_leave_nothing_to_repair(
        self,
        person: Person,
        seed: int,
        proof: bool,  # noqa: FBT001 (a fixture)
    ) -> None:
        people = [person.named(name) for name in ("ann", "bob", "carl")]
        for someone in people[:2]:
            someone.admit()
        random, barrier = Random(seed), Barrier(ADMINS)  # noqa: S311 (to be repeated)

        for _ in range(100 if proof else 8):
            plan = operations(people, random)
            threads = [Thread(target=attempt, args=(barrier, operation)) for operation in plan.values()]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

            assert [each.disagreements() for each in people] == [[]] * len(people), list(plan)
            assert not PendingChange.objects.exists(), list(plan)
