"""Marked tokens, passwords and claims through every route, in good and in failing requests."""

import json
from typing import Any

import pytest
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from apps.claims.hasura import CLAIMS_NAMESPACE
from apps.core.http import routes
from apps.core.logging import JsonFormatter
from tests.support.token_factory import Signer, hasura_claim
from tests.test_access import path_of

MARK = "MARKED-AS-SECRET"
PASSWORD = f"Aa1!{MARK}"


def secrets_of(token: str) -> list[str]:
    """Return what no log may contain: the token's payload, its signature, the mark in clear."""
    _, payload, signature = token.split(".")
    return [payload, signature, MARK]


@pytest.mark.django_db
@pytest.mark.parametrize("route", routes.listing(), ids=lambda route: route.path)
class TestEveryRoute:
    @pytest.fixture(autouse=True)
    def _probes(self, settings: Settings) -> None:
        settings.READINESS_PROBES = {"neighbour": "tests.test_access.well"}

    def call(self, route: routes.Route, token: str) -> None:
        client = APIClient(raise_request_exception=False)
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        body = {"email": "jane.doe@austintexas.gov", "password": PASSWORD, "roles": [MARK], "unknown": MARK}
        for method in (*route.methods, "PATCH"):
            client.generic(method, path_of(route), json.dumps(body), content_type="application/json")

    @pytest.mark.parametrize("kind", ["genuine", "expired", "broken claims", "forged"])
    def test_logs_nothing_secret(
        self, route: routes.Route, kind: str, signer: Signer, caplog: pytest.LogCaptureFixture
    ) -> None:
        claims: dict[str, dict[str, Any]] = {
            "genuine": {CLAIMS_NAMESPACE: hasura_claim("moped-admin"), "custom:note": MARK},
            "expired": {"exp": 1, "custom:note": MARK},
            "broken claims": {CLAIMS_NAMESPACE: f"{{{MARK}"},
            "forged": {"custom:note": MARK},
        }
        maker = Signer(kid=signer.kid) if kind == "forged" else signer
        token = maker.token(**claims[kind])

        self.call(route, token)

        log_text = "\n".join(map(JsonFormatter().format, caplog.records))
        assert '"event":"request"' in log_text
        assert not [secret for secret in secrets_of(token) if secret in log_text]
