from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from apps.core.http.throttles import SignatureThrottle, SignInThrottle

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from tests.conftest import Caller


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    for throttle in (SignatureThrottle, SignInThrottle):
        monkeypatch.setattr(throttle, "rate", "2/min", raising=False)


@pytest.mark.usefixtures("few")
@pytest.mark.django_db
class TestPerCaller:
    PATH = "/files/download/private/project/1/x.pdf"

    def test_stops_who_asks_too_often_and_says_until_when(self, calling: Caller) -> None:
        jane = calling()
        statuses = [jane.get(self.PATH).status_code for _ in range(3)]

        response = jane.get(self.PATH)

        assert 429 not in statuses[:2]
        assert (response.status_code, response.json()["code"]) == (429, "throttled")
        assert 0 < int(response.headers["Retry-After"]) <= 61

    def test_does_not_stop_anyone_else(self, calling: Caller) -> None:
        jane, joe = calling(), calling(sub="99999999-9999-4999-8999-999999999999")
        for _ in range(3):
            jane.get(self.PATH)

        assert joe.get(self.PATH).status_code != 429


@pytest.mark.usefixtures("few")
class TestSignIns:
    def test_are_counted_by_address(self, api_client: APIClient) -> None:
        for _ in range(2):
            assert api_client.get("/auth/callback?state=x&code=y").status_code == 401

        response = api_client.get("/auth/callback?state=x&code=y")
        elsewhere = api_client.get("/auth/callback?state=x&code=y", REMOTE_ADDR="192.0.2.7")

        assert (response.status_code, response.json()["code"]) == (429, "throttled")
        assert int(response.headers["Retry-After"]) > 0
        assert elsewhere.status_code == 401
