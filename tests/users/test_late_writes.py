"""A PutItem that AWS carries out after the change was rolled back grants nothing."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ReadTimeoutError

from apps.claims import items as claims_items
from apps.claims import table as claims_table
from apps.claims.hasura import ADMIN, EDITOR
from apps.core.aws import clients
from apps.core.errors import UnavailableError
from apps.users import services
from tests.users.fault_injection import send
from tests.users.stores import PASSWORD, profile
from tests.users.test_reconcile_users import alone, reconcile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apps.auth.callers import CognitoUser
    from tests.users.stores import Stores

pytestmark = pytest.mark.emulator
__all__ = ["alone"]


@dataclass
class Delay:
    """Holds back every attempt of the n-th PutItem."""

    number: int
    calls: int = 0
    late_calls: list[Any] = field(default_factory=list)

    def count(self, params: dict[str, Any], **_event: Any) -> None:
        self.calls += 1
        params["headers"]["X-Number"] = str(self.calls)

    def hold(self, request: Any, **_event: Any) -> None:
        if int(request.headers["X-Number"]) == self.number:
            self.late_calls.append(request)
            raise ReadTimeoutError(endpoint_url=request.url)


@contextmanager
def delayed_put(number: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Hold back every attempt of the n-th PutItem; the caller sends what is in the list."""
    delay = Delay(number)
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
    events: Any = clients.dynamodb().meta.events
    events.register_first("before-call.dynamodb.PutItem", delay.count)
    events.register_first("before-send.dynamodb.PutItem", delay.hold)
    try:
        yield delay.late_calls
    finally:
        events.unregister("before-call.dynamodb.PutItem", delay.count)
        events.unregister("before-send.dynamodb.PutItem", delay.hold)


class TestLatePut:
    @pytest.mark.parametrize("number", [1, 2], ids=["the reservation", "the claims"])
    def test_of_a_failed_create_grants_nothing(
        self,
        alone: Stores,
        admin: CognitoUser,
        email: str,
        monkeypatch: pytest.MonkeyPatch,
        number: int,
    ) -> None:
        with delayed_put(number, monkeypatch) as late_calls, pytest.raises(UnavailableError):
            services.create_user(actor=admin, password=PASSWORD, **profile(email))
        for request in late_calls:
            send(request)

        assert late_calls
        assert claims_items.claims_of(email) is None
        assert reconcile("--fix")[0] == 0
        assert claims_table.get(email).item is None

    def test_of_a_failed_update_does_not_raise_the_roles(
        self, alone: Stores, admin: CognitoUser, email: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user = alone.admit(email, [EDITOR])
        assert user.cognito_user_id

        with delayed_put(1, monkeypatch) as late_calls, pytest.raises(UnavailableError):
            services.update_user(
                actor=admin, cognito_user_id=user.cognito_user_id, **profile(email, roles=[ADMIN])
            )
        for request in late_calls:
            send(request)

        assert late_calls
        assert alone.disagreements(email) == []
