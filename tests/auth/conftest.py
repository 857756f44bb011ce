"""The pool of the tests: a key server on loopback, and the keys that it publishes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from apps.auth import keys
from tests import signing
from tests.keyserver import KeyServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def _running_key_server() -> Iterator[KeyServer]:
    server = KeyServer()
    yield server
    server.close()


@pytest.fixture
def key_server(_running_key_server: KeyServer, settings: object) -> Iterator[KeyServer]:
    """Return a key server that publishes the test pool's two keys, and start without any known."""
    _running_key_server.publish(signing.key("pool-key-1"), signing.key("pool-key-2"))
    settings.COGNITO_JWKS_URL = _running_key_server.url  # type: ignore[attr-defined]
    keys.reset()
    yield _running_key_server
    keys.reset()
