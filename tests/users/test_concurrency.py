"""
Admins who change the same few people at the same moment, over and over.

Nothing fails here except because of the other admins, so nothing is left to repair: when all have
their response, the stores agree.
"""

from __future__ import annotations

from contextlib import suppress
from random import Random
from threading import Barrier, Thread
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from apps.claims.hasura import EDITOR, VIEWER
from apps.core.errors import ConflictError, NotFoundError
from apps.users import services
from apps.users.models import MopedUser, PendingChange
from tests.users.stores import PASSWORD, profile

if TYPE_CHECKING:
    from apps.auth.callers import CognitoUser
    from tests.users.stores import Stores

pytestmark = [pytest.mark.slow(cost=5), pytest.mark.emulator, pytest.mark.no_cover]

ADMINS = 4


class Crowd:
    """Some admins, and the three addresses that they quarrel about."""

    def __init__(self, actor: CognitoUser, addresses: list[str], random: Random) -> None:
        self.actor, self.addresses, self.random = actor, addresses, random
        self.barrier = Barrier(ADMINS)

    def plan(self) -> list[tuple[str, str, str]]:
        """Return what each admin tries in one round: the change, the user's address and the new address."""
        changes, pick = ["create", "activate", "move", "move", "deactivate", "deactivate"], self.random.choice
        return [(pick(changes), pick(self.addresses), pick(self.addresses)) for _ in range(ADMINS)]

    def play(self) -> list[tuple[str, str, str]]:
        """Run all changes at once."""
        plan = self.plan()
        account_ids = dict(MopedUser.objects.values_list("email", "cognito_user_id"))
        threads = [Thread(target=self._try, args=(change, account_ids)) for change in plan]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return plan

    def _try(self, change: tuple[str, str, str], account_ids: dict[str, Any]) -> None:
        name, email, target = change
        by: Any = {"actor": self.actor}
        form: Any = {"actor": self.actor, "password": PASSWORD}
        account = account_ids.get(email)
        self.barrier.wait()
        try:
            with suppress(ConflictError, NotFoundError):
                if name == "create":
                    services.create_user(**form, **profile(email, roles=[VIEWER]))
                elif name == "activate":
                    services.activate_user(**form, email=email, roles=[EDITOR])
                elif account and name == "move":
                    services.update_user(**by, cognito_user_id=account, **profile(target))
                elif account:
                    services.deactivate_user(**by, cognito_user_id=account)
        finally:
            connection.close()


class TestCrowds:
    @pytest.mark.parametrize("seed", range(2))
    def test_leave_nothing_to_repair(
        self,
        stores: Stores,
        admin: CognitoUser,
        email: str,
        seed: int,
        proof: bool,  # noqa: FBT001 (a fixture)
    ) -> None:
        addresses = [f"{name}.{email}" for name in ("ann", "bob", "carl")]
        for address in addresses[:2]:
            stores.admit(address, [EDITOR])
        crowd = Crowd(admin, addresses, Random(seed))  # noqa: S311 (to be repeated)

        for _ in range(100 if proof else 8):
            plan = crowd.play()

            assert stores.disagreements(*addresses) == [], plan
            assert not PendingChange.objects.exists(), plan
