"""What tests across all apps share: a pool that signs, and callers that carry its tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest
from django.test import override_settings
from rest_framework.test import APIClient

from tests.pool import KeyServer, Signer

if TYPE_CHECKING:
    from collections.abc import Iterator


class Caller(Protocol):
    """Makes a client that calls as somebody."""

    def __call__(self, **claims: Any) -> APIClient: ...


@pytest.fixture(scope="session")
def signer() -> Signer:
    """The key of the tests' pool."""
    return Signer()


@pytest.fixture(scope="session", autouse=True)
def key_server(signer: Signer) -> Iterator[KeyServer]:
    """Serve the pool's key set for all tests."""
    with KeyServer(signer) as server, override_settings(COGNITO_JWKS_URL=server.url):
        yield server


@pytest.fixture
def api_client() -> APIClient:
    """A caller without a token."""
    return APIClient()


@pytest.fixture
def calling(signer: Signer) -> Caller:
    """`calling(email=…)` is a client with a genuine token in which these claims are replaced."""

    def as_somebody(**claims: Any) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {signer.token(**claims)}")
        return client

    return as_somebody
