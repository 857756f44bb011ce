"""A pool that misbehaves on request: its key server, and two keys that it publishes."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from apps.auth.tokens import key_cache
from tests.auth.signing import key
from tests.support.token_factory import Publisher


@pytest.fixture(scope="session")
def _publisher() -> Iterator[Publisher]:
    with Publisher() as server:
        yield server


@pytest.fixture
def publisher(_publisher: Publisher, settings: Settings) -> Iterator[Publisher]:
    """Publish `pool-key-1` and `pool-key-2`, which have not been fetched yet."""
    _publisher.publish(key("pool-key-1"), key("pool-key-2"))
    settings.COGNITO_JWKS_URL = _publisher.url
    key_cache.reset()
    yield _publisher
    key_cache.reset()
