"""
The sample to copy: one class for the thing under test, names that finish its sentence.

    arrange what the test needs (fixtures do most of it)
    act once
    assert what a caller would notice

`make test` runs all of it; `.venv/bin/pytest tests/test_app.py` runs this file.
"""

import pytest
from rest_framework.test import APIClient

from tests.conftest import Caller
from tests.support.token_factory import hasura_claim


class TestApp:
    """The app as a whole, from outside."""

    def test_says_that_it_is_there(self, api_client: APIClient) -> None:
        response = api_client.get("/")

        assert response.status_code == 200
        assert response.json()["message"].startswith("MOPED API Available - Health Check - Available @ ")

    def test_asks_a_stranger_to_sign_in(self, api_client: APIClient) -> None:
        response = api_client.get("/auth/current_user")

        assert response.status_code == 401
        assert response.json()["code"] == "token_missing"
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="moped"'

    def test_tells_callers_who_they_are(self, calling: Caller) -> None:
        jane = calling(email="jane.doe@austintexas.gov")

        response = jane.get("/auth/current_user")

        assert response.status_code == 200
        assert response.json()["email"] == "jane.doe@austintexas.gov"

    @pytest.mark.parametrize("role", ["moped-viewer", "moped-editor", "moped-admin"])
    def test_normalizes_the_claims(self, calling: Caller, role: str) -> None:
        caller = calling(**{"https://hasura.io/jwt/claims": hasura_claim(role)})

        response = caller.get("/auth/current_user2")

        assert response.json()["hasura_claims"]["x-hasura-allowed-roles"] == [role]

    @pytest.mark.parametrize("path", ["/auth", "/auth/", "//auth/"])
    def test_forgives_slashes(self, api_client: APIClient, path: str) -> None:
        assert api_client.get(path).status_code == 200
