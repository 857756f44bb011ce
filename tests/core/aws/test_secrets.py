from collections.abc import Iterator
from typing import Any

import pytest

from apps.core.aws import clients, secrets
from tests.core.aws.test_clients import vendor_error
from tests.support.clock import Clock

DEEP = '{"KEY":' * 20_000


class Manager:
    """Secrets Manager: what it says, how often it was asked, whether it is there at all."""

    def __init__(self) -> None:
        self.text = '{"KEY": "one"}'
        self.error: Exception | None = None
        self.asked = 0

    def get_secret_value(self, **_arguments: Any) -> dict[str, str]:
        self.asked += 1
        if self.error:
            raise self.error
        return {"SecretString": self.text}


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Iterator[Manager]:
    manager = Manager()
    monkeypatch.setattr(clients, "secrets_manager", lambda: manager)
    secrets.forget()
    yield manager
    secrets.forget()


class TestValue:
    def test_outlives_an_outage(self, manager: Manager, clock: Clock) -> None:
        secrets.value("name", "KEY")
        manager.error = vendor_error("InternalServiceError")
        clock.passes(secrets.FRESH_SECONDS)

        assert [secrets.value("name", "KEY") for _ in range(3)] == ["one"] * 3
        assert manager.asked == 2  # it is not asked again at once

    def test_a_forced_refresh_reads_again_but_not_each_time(self, manager: Manager, clock: Clock) -> None:
        for text, seconds, expected in (("one", 0, "one"), ("two", 0, "one"), ("two", 10, "two")):
            manager.text = f'{{"KEY": "{text}"}}'
            clock.passes(seconds)
            assert secrets.value("name", "KEY", force_refresh=True) == expected
        assert manager.asked == 2

    @pytest.mark.parametrize(
        "text", ["", "[]", "no JSON", "{}", '{"KEY": ""}', '{"KEY": 7}', DEEP], ids=lambda text: text[:12]
    )
    def test_is_refused_if_it_has_no_such_text(self, manager: Manager, text: str) -> None:
        manager.text = text

        with pytest.raises(secrets.SecretError):
            secrets.value("name", "KEY")


class TestValues:
    def test_are_all_of_the_same_reading(self, manager: Manager) -> None:
        manager.text = '{"username": "one", "password": "first"}'

        assert secrets.values("name", "username", "password") == ("one", "first")
        assert manager.asked == 1
