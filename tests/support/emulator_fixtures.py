"""
An emulator of AWS for tests, started when the first of them asks and provisioned once.

Tests share it: each uses addresses and keys of its own. With xdist every worker has one.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from pytest_django.fixtures import Settings

from apps.core.aws import clients
from apps.devstack import provision
from apps.devstack.emulator import Emulator, free_port
from apps.devstack.personas import PERSONAS
from tests.support import strict_mode


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Yield a running emulator with nothing in it. It refuses what AWS refuses, but takes any deployment."""
    with strict_emulator(tmp_path_factory.mktemp("aws")) as emulator:
        strict_mode.set_seconds_between_deployments(emulator.url, 0)
        yield emulator


@pytest.fixture(scope="session")
def provisioned_variables(emulator: Emulator) -> Mapping[str, str]:
    """Return what `make run` would publish of it: pool, client, table, bucket and secret, by variable."""
    with clients_call(emulator.url):
        return provision.create_resources(8000, emulator.url)


@pytest.fixture
def provisioned_emulator(
    emulator: Emulator,
    provisioned_variables: Mapping[str, str],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Emulator]:
    """Yield the embedded AWS with everything a stage has in it, and the settings naming it."""
    for name, value in as_settings(provisioned_variables).items():
        setattr(settings, name, value)
    # By the test's own monkeypatch: it undoes what the test sets in the variable before it undoes this.
    with _patched(monkeypatch, emulator.url):
        yield emulator


@pytest.fixture
def provisioned_personas(provisioned_emulator: Emulator) -> Emulator:
    """Return the provisioned AWS with every persona's account and claims in it."""
    from apps.devstack import accounts  # noqa: PLC0415 (models: Django is not set up when plugins load)

    accounts.ensure(PERSONAS, with_rows=False)
    return provisioned_emulator


@contextmanager
def strict_emulator(folder: Path, **options: Path) -> Iterator[Emulator]:
    """Start an emulator that refuses what AWS refuses, and stop it at the end of the block."""
    emulator = Emulator(folder, free_port(), durable=False, launcher=strict_mode.LAUNCHER, **options)
    emulator.start()
    try:
        yield emulator
    finally:
        emulator.stop()


@contextmanager
def clients_call(url: str) -> Iterator[None]:
    """Let the clients of this process call an AWS at this URL."""
    with pytest.MonkeyPatch.context() as patch, _patched(patch, url):
        yield


@contextmanager
def provisioned(url: str, variables: Mapping[str, str], **settings: Any) -> Iterator[None]:
    """Let this process call an AWS that has everything a stage has in it: for fixtures of modules."""
    with clients_call(url), override_settings(**as_settings(variables), **settings):
        yield


@contextmanager
def _patched(patch: pytest.MonkeyPatch, url: str) -> Iterator[None]:
    patch.setenv("AWS_ENDPOINT_URL", url)
    clients.forget_clients()
    try:
        yield
    finally:
        clients.forget_clients()


def as_settings(variables: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings that name what was provisioned."""
    pool = variables["COGNITO_USERPOOL_ID"]
    return {
        "AWS_ENDPOINT_URL": variables["AWS_ENDPOINT_URL"],
        "COGNITO_USER_POOL_ID": pool,
        "COGNITO_CLIENT_IDS": (variables["COGNITO_APP_CLIENT_ID"],),
        "COGNITO_ISSUER": f"https://cognito-idp.{pool.partition('_')[0]}.amazonaws.com/{pool}",
        "COGNITO_JWKS_URL": variables["COGNITO_JWKS_URL"],
        "COGNITO_DOMAIN_URL": variables["COGNITO_DOMAIN_URL"],
        "CLAIMS_TABLE": variables["COGNITO_DYNAMO_TABLE_NAME"],
        "CONFIGURATION_SECRET": variables["MOPED_API_CONFIGURATION_SETTINGS"],
        "UPLOADS_BUCKET": variables["MOPED_API_UPLOADS_S3_BUCKET"],
    }
