"""A PutItem that AWS carries out after the change was rolled back grants nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from apps.claims import items as claims_items
from apps.claims.hasura import ADMIN
from apps.core.aws import clients
from apps.core.errors import UnavailableError
from tests.users.fault_injection import registered, send
from tests.users.stores import Person
from tests.users.test_reconcile_users import reconcile

pytestmark = pytest.mark.emulator


@contextmanager
def late_put(number: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hold back every attempt of the n-th PutItem, and send them at the end of the block."""
    numbers, late_calls = count(1), []

    def enumerate_calls(params: dict[str, Any], **_event: Any) -> None:
        params["headers"]["X-Number"] = str(next(numbers))

    def hold(request: Any, **_event: Any) -> None:
        if int(request.headers["X-Number"]) == number:
            late_calls.append(request)
            raise ReadTimeoutError(endpoint_url=request.url)

    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
    handlers: dict[str, Callable[..., Any]] = {
        "before-call.dynamodb.PutItem": enumerate_calls,
        "before-send.dynamodb.PutItem": hold,
    }
    with registered(handlers, clients.dynamodb()):
        yield
    assert late_calls
    for request in late_calls:
        send(request)


class TestLatePut:
    @pytest.mark.parametrize("number", [1, 2], ids=["the reservation", "the claims"])
    def test_of_a_failed_create_grants_nothing(
        self, person: Person, monkeypatch: pytest.MonkeyPatch, number: int
    ) -> None:
        with late_put(number, monkeypatch), pytest.raises(UnavailableError):
            person.create()

        assert claims_items.claims_of(person.email) is None
        assert reconcile("--fix", "--only", person.email)[0] == 0
        assert not claims_items.get(person.email).attributes

    def test_of_a_failed_update_does_not_raise_the_roles(
        self, person: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        person.admit()

        with late_put(1, monkeypatch), pytest.raises(UnavailableError):
            person.update(roles=[ADMIN])

        assert person.disagreements() == []
