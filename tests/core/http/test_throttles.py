import pytest
from rest_framework.test import APIClient

from apps.core.http.throttles import SignatureThrottle, SignInThrottle
from tests.conftest import Caller

PATH, OTHER_PATH = "/files/download/private/project/1/x.pdf", "/files/request-signature?file=a.pdf"


@pytest.fixture(autouse=True)
def _two_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    for throttle in (SignatureThrottle, SignInThrottle):
        monkeypatch.setattr(throttle, "rate", "2/min", raising=False)


@pytest.mark.django_db
class TestCallerRateThrottle:
    def test_stops_one_caller_and_says_until_when(self, calling: Caller) -> None:
        jane, joe = calling(), calling(sub="99999999-9999-4999-8999-999999999999")
        statuses = [jane.get(path).status_code for path in (PATH, OTHER_PATH)]

        response = jane.get(PATH)

        assert statuses == [404, 403]
        assert (response.status_code, response.json()["code"]) == (429, "throttled")
        assert 0 < int(response.headers["Retry-After"]) <= 61
        assert joe.get(PATH).status_code != 429


class TestSignInThrottle:
    def test_counts_by_address(self, api_client: APIClient) -> None:
        path = "/auth/callback?state=x&code=y"
        statuses = [api_client.get(path).status_code for _ in range(2)]

        response = api_client.get(path)

        assert statuses == [401, 401]
        assert (response.status_code, response.json()["code"]) == (429, "throttled")
        assert int(response.headers["Retry-After"]) > 0
        assert api_client.get(path, REMOTE_ADDR="192.0.2.7").status_code == 401
