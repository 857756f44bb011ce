"""An account with staging in it, and the commands that run in it."""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import call_command

from tests.deployment.previews.aws_account import Account
from tests.deployment.role import acting_with
from tests.support import emulator_fixtures, lambda_runtime

Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="package")
def at_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Let the commands of this process run in the account."""
    folder, python = tmp_path_factory.mktemp("account"), lambda_runtime.python()
    with (
        emulator_fixtures.strict_emulator(folder / "aws", function_python=python) as emulator,
        emulator_fixtures.clients_call(emulator.url),
    ):
        yield Account(emulator.url, folder)


@pytest.fixture
def run(at_aws: Account) -> Iterator[Run]:
    """
    Run a command with the rights of the job, and return the JSON that it prints.

    Afterwards `down` must leave nothing.
    """

    def command(*words: str) -> dict[str, Any]:
        out = io.StringIO()
        with acting_with(at_aws.deployer):
            call_command("preview", *words, "--json", stdout=out, stderr=io.StringIO())
        return dict(json.loads(out.getvalue()))

    yield command
    assert command("down", "412") == {"preview": "pr_412", "left": []}
    assert at_aws.of_previews() == []
