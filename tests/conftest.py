"""What tests across all apps share: a pool that signs, and callers that carry its tokens."""

import signal
import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import Any

import botocore.session
import hypothesis
import pytest
from django.conf import settings
from django.core.cache import cache as counted
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.test import override_settings
from rest_framework.test import APIClient

from apps.auth import current_roles
from apps.auth.tokens import key_cache
from apps.claims import hasura, identity
from apps.claims.hasura import CLAIMS_NAMESPACE, NO_CLAIMS
from apps.core.aws import clients
from apps.devstack.personas import BY_KEY, Persona
from tests.support import reseed, waiting
from tests.support.callers import ANONYMOUS
from tests.support.clock import Clock
from tests.support.token_factory import Publisher, Signer, hasura_claim, payload

Caller = Callable[..., APIClient]

Handler = Callable[[Any], Any]

Impersonate = Callable[[str], APIClient]


__all__ = ["reseed"]  # which Django calls
# `make check` takes this profile (Makefile), and the nightly run leaves the examples to chance.
hypothesis.settings.register_profile("same", derandomize=True)
LAMBDA = SimpleNamespace(aws_request_id="request-of-lambda")  # the context of an event


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--proof` for tests that repeat one thing many times, and `--target` for `stage verify`."""
    parser.addoption("--proof", action="store_true", help="run the bounded proofs in full (make prove-…)")
    parser.addoption("--target", help="the stage that tests/deployment/test_facts.py checks (stage verify)")


@pytest.fixture(scope="session")
def proof(request: pytest.FixtureRequest) -> bool:
    """Whether a test that repeats one thing runs in full (`make prove-…`) or bounded (`make check`)."""
    return bool(request.config.getoption("--proof"))


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Keep each module, or group of slow modules, on one worker. Begin with the slow ones."""
    for item in items:
        group = _slow(item).get("group", f"{item.path.parent.name}/{item.path.stem}")
        item.add_marker(pytest.mark.xdist_group(group))
    yield
    items.sort(key=lambda item: -_slow(item).get("cost", 0))


def _slow(item: pytest.Item) -> Mapping[str, Any]:
    marker = item.get_closest_marker("slow")
    return marker.kwargs if marker else {}


@pytest.fixture(scope="session")
def lambda_handler() -> ModuleType:
    """The module that Lambda imports; the clients it builds have limits that tests do not want."""
    module = import_module("moped_api.lambda_handler")
    clients.forget_clients()
    return module


@pytest.fixture(scope="session")
def handler(lambda_handler: ModuleType) -> Handler:
    """The function's handler."""
    return lambda event: lambda_handler.lambda_handler(event, LAMBDA)


@pytest.fixture(scope="session")
def signer() -> Signer:
    """The key of the tests' pool."""
    return Signer()


@receiver(setting_changed)
def _forget_keys_of_other_settings(*, setting: str, **_: Any) -> None:
    """Fetch the key set again after a test has changed the settings of the pool."""
    if setting.startswith("COGNITO_"):
        key_cache.reset()


@pytest.fixture(scope="session", autouse=True)
def _published_key_set(signer: Signer) -> Iterator[None]:
    """Serve the pool's key set for all tests that do not ask for another pool."""
    with Publisher() as server, override_settings(COGNITO_JWKS_URL=server.url):
        server.publish(signer)
        yield


@pytest.fixture(scope="session", autouse=True)
def _default_interrupt_signal() -> Iterator[None]:
    """
    Let the processes that tests start react to SIGINT.

    A job that a script starts in the background inherits SIGINT as ignored, and so do its children.
    """
    inherited = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, inherited)


@pytest.fixture(scope="session", autouse=True)
def _no_product_limits() -> Iterator[None]:
    """Let the product wait as long as the tests do; a test of such a limit sets its own."""
    waiting.lift_product_limits()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "REQUEST_SECONDS", waiting.LIMIT_SECONDS)
        yield


@pytest.fixture(scope="session", autouse=True)
def _services_described_once() -> Iterator[None]:
    """Let all clients share what botocore reads of a service, which takes a tenth of a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", cache(botocore.session.create_loader))
        yield


@pytest.fixture(autouse=True)
def _no_remembered_rights() -> None:
    """Let no test live on what the claims table said in another."""
    current_roles.invalidate()


@pytest.fixture(autouse=True)
def _uncounted() -> None:
    """Forget what throttles have counted: each test starts as a new caller."""
    counted.clear()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Stop the clock that caches and the verifier read."""
    stopped = Clock()
    stopped.install(monkeypatch)
    return stopped


@pytest.fixture
def api_client() -> APIClient:
    """A caller without a token."""
    return APIClient()


@pytest.fixture
def calling(signer: Signer) -> Caller:
    """
    `calling(email=…)` is a client with a genuine token in which these claims are replaced.

    The claims table is taken to have said the same a moment ago.
    """

    def as_caller(**claims: Any) -> APIClient:
        client = APIClient()
        _remember_rights(payload(**claims))
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {signer.token(**claims)}")
        return client

    return as_caller


@pytest.fixture
def impersonate(calling: Caller, api_client: APIClient) -> Impersonate:
    """`impersonate("admin")` is a client with the token that this persona would get."""

    def as_persona(key: str) -> APIClient:
        return api_client if key == ANONYMOUS else calling(**_claims(BY_KEY[key]))

    return as_persona


def _remember_rights(token: dict[str, Any]) -> None:
    claim = token.get(CLAIMS_NAMESPACE)
    try:
        claims = hasura.parse(claim) if isinstance(claim, str) else NO_CLAIMS
    except ValueError:
        return  # a token that will be refused
    address = identity.claims_address(
        username=str(token.get("cognito:username", "")), email=str(token.get("email", ""))
    )
    current_roles._cache._store(address, frozenset(claims.allowed_roles))


def _claims(persona: Persona) -> dict[str, Any]:
    user_id = str(uuid.uuid5(uuid.NAMESPACE_URL, persona.email))
    hasura = hasura_claim(*persona.roles, user_id=user_id, database_id=str(persona.database_id))
    return {
        "sub": user_id,
        "email": persona.email,
        "email_verified": persona.email_verified,
        "cognito:username": identity.sso_username(persona.email) if persona.is_sso else user_id,
        CLAIMS_NAMESPACE: hasura if persona.has_claims else None,
    }
