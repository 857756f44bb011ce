import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from apps.health import probes
from tests.support.clock import Clock
from tests.support.waiting import LIMIT_SECONDS

probed: list[str] = []
released = threading.Event()


def well() -> None:
    probed.append("well")


def broken() -> None:
    raise ZeroDivisionError("a detail for nobody")


def hanging() -> None:
    probed.append("hanging")
    released.wait(LIMIT_SECONDS)


@pytest.fixture(autouse=True)
def _unprobed() -> Iterator[None]:
    probes._cache.clear()
    probed.clear()
    released.clear()
    yield
    released.set()
    probes._cache.clear()


def named_probes(**paths: str) -> dict[str, str]:
    return {name: f"{__name__}.{probe}" for name, probe in paths.items()}


class TestLive:
    def test_calls_no_backend(self, api_client: APIClient, settings: Settings) -> None:
        settings.READINESS_PROBES = named_probes(anything="broken")

        response = api_client.get("/health/live")

        assert response.status_code == 200
        assert response.json() == {"status": "live", "stage": "test", "version": "1.0.0", "commit": "unknown"}


class TestReady:
    def test_names_what_is_down_and_no_more(
        self, api_client: APIClient, settings: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.READINESS_PROBES = named_probes(database="well", bucket="broken", claims_table="broken")

        for response in (api_client.get("/health/ready") for _ in range(2)):  # the second is from memory
            assert (response.status_code, response.json()["code"]) == (503, "not_ready")
            assert response.json()["detail"] == "Not ready: bucket, claims_table."
            assert int(response.headers["Retry-After"]) > 0
        lines = [vars(record)["detail"] for record in caplog.records if record.message == "not_ready"]
        assert lines == ["Not ready: bucket, claims_table."] * 2

    def test_does_not_wait_for_what_hangs(
        self, api_client: APIClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.READINESS_PROBES = named_probes(database="hanging")
        monkeypatch.setattr(probes, "DEADLINE_SECONDS", 0.1)

        response = api_client.get("/health/ready")

        assert response.json()["detail"] == "Not ready: database."
        assert not released.is_set()  # the probe still hangs

    def test_probes_once_in_five_seconds(
        self, api_client: APIClient, settings: Settings, clock: Clock
    ) -> None:
        settings.READINESS_PROBES = named_probes(one="well")

        for seconds in (0, 4, 1):
            clock.passes(seconds)
            api_client.get("/health/ready")

        assert probed == ["well", "well"]

    def test_probes_once_for_callers_at_the_same_time(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.READINESS_PROBES = named_probes(one="hanging")
        monkeypatch.setattr(probes, "DEADLINE_SECONDS", 0.1)

        with ThreadPoolExecutor(4) as pool:
            for _ in range(4):
                pool.submit(probes.check)

        assert probed == ["hanging"]


@pytest.mark.django_db(transaction=True)
class TestProbes:
    def test_find_everything_on_a_furnished_stage(
        self, api_client: APIClient, provisioned_emulator: object
    ) -> None:
        assert api_client.get("/health/ready").json()["status"] == "ready"

    def test_name_everything_that_is_missing(self, api_client: APIClient, settings: Settings) -> None:
        settings.COGNITO_JWKS_URL = "http://127.0.0.1:9/jwks.json"

        detail = api_client.get("/health/ready").json()["detail"]

        assert not {"bucket", "claims_table", "key_set", "secrets"} - set(re.findall(r"\w+", detail))
