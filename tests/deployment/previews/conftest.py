"""An account with staging and production in it, one for each worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from apps.core.aws import clients
from apps.devstack.emulator import Emulator, free_port
from tests.deployment.previews.aws_account import Account
from tests.support import lambda_environment

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    folder = tmp_path_factory.mktemp("account")
    python = lambda_environment.python()
    emulator = Emulator(folder / "aws", free_port(), durable=False, function_python=python)
    emulator.start()
    account = Account(emulator, folder)
    account.furnish()
    account.remember()
    yield account
    emulator.stop()


@pytest.fixture(scope="module")
def at_aws(account: Account) -> Iterator[Account]:
    """The account, for commands that run in this process; what stays has not changed in the end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", account.emulator.url)
        clients.forget_clients()
        yield account
        clients.forget_clients()
    assert account.staying() == account.fingerprint
