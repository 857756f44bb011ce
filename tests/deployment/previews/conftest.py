"""An account with staging in it, one for each worker, and the commands that run in it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command

from apps.core.aws import clients
from apps.devstack.emulator import Emulator, free_port
from tests.deployment.previews.aws_account import Account
from tests.support import lambda_environment, strict_mode

if TYPE_CHECKING:
    from collections.abc import Iterator

Run = Callable[..., dict[str, Any]]


@contextmanager
def called(url: str) -> Iterator[None]:
    """Let the clients of this process call the emulator."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", url)
        clients.forget_clients()
        yield
        clients.forget_clients()


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    folder = tmp_path_factory.mktemp("account")
    emulator = Emulator(
        folder / "aws",
        free_port(),
        durable=False,
        function_python=lambda_environment.python(),
        launcher=strict_mode.LAUNCHER,
    )
    emulator.start()
    try:
        with called(emulator.url):
            account = Account(emulator, folder)
        yield account
    finally:
        emulator.stop()


@pytest.fixture(scope="module")
def at_aws(account: Account) -> Iterator[Account]:
    """Let the commands of this process run in the account."""
    with called(account.emulator.url):
        yield account


@pytest.fixture
def run(at_aws: Account) -> Iterator[Run]:
    """
    Run a command with the rights of the job, and return the JSON that it prints.

    Afterwards `down` must leave nothing.
    """

    def command(*words: str) -> dict[str, Any]:
        out = io.StringIO()
        with at_aws.deployer.worn():
            call_command("preview", *words, "--json", stdout=out, stderr=io.StringIO())
        return dict(json.loads(out.getvalue()))

    yield command
    command("down", "412")
    assert at_aws.of_previews() == []
