"""
`make prove-aws`: the commands of stages and previews at two emulators of AWS, MiniStack and moto.

Both must print the same and leave the same. botocore checks the parameters of every call, as always. The
functions run a stand-in for the API. tests/support/moto_launcher.py lists what moto cannot do, and does it.
LEFT_OUT are the resources that moto's CloudFormation does not create.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from apps.deployment.aws import stack_updates
from apps.deployment.paths import BUILD, PROJECT
from apps.devstack import processes
from apps.devstack.emulator import HOST, free_port
from tests.deployment.emulated_account import INFRASTRUCTURE, Account
from tests.support.emulator_fixtures import clients_call, strict_emulator

PYTHON = BUILD / "moto" / "bin" / "python"  # an environment of its own (requirements/moto.in)
LAUNCHER = PROJECT / "tests" / "support" / "moto_launcher.py"
LIST_RESOURCES = "from moto.cloudformation import parsing; print(*parsing.get_model_map())"
# Resources of our templates that moto's CloudFormation leaves out, without an error.
LEFT_OUT = {
    "AWS::ApiGateway::BasePathMapping",
    "AWS::ApiGateway::DomainName",
    "AWS::Budgets::Budget",
    "AWS::CloudWatch::Alarm",
    "AWS::Cognito::UserPool",
    "AWS::Cognito::UserPoolClient",
    "AWS::Cognito::UserPoolDomain",
    "AWS::IAM::OIDCProvider",
    "AWS::Lambda::Alias",
    "AWS::Lambda::Url",
    "AWS::Logs::MetricFilter",
    "AWS::S3::BucketPolicy",
    "AWS::Scheduler::Schedule",
    "AWS::SecretsManager::Secret",
}


class MotoServer(processes.Server):
    """An empty account that moto plays. Its log and the code of its functions are in the folder."""

    name = "moto's server"
    ready = b"Running on"

    def __init__(self, folder: Path) -> None:
        self.log = folder / "moto.log"
        self.url = f"http://{HOST}:{free_port()}"
        self._folder = folder

    def start(self) -> None:
        environment = {
            "PATH": "/usr/bin:/bin",
            "TMPDIR": str(self._folder),
            "FUNCTION_PYTHON": sys.executable,
            "MOTO_LAMBDA_CONCURRENCY_QUOTA": "1000",
        }
        port = self.url.rpartition(":")[2]
        self._start([PYTHON, LAUNCHER, "--host", HOST, "--port", port], environment=environment)


@contextmanager
def moto(folder: Path) -> Iterator[None]:
    """Let the clients of this process, and the programs that it starts, call moto."""
    server = MotoServer(folder)
    server.start()
    try:
        with clients_call(server.url):
            yield
    finally:
        server.stop()


@contextmanager
def ministack(folder: Path) -> Iterator[None]:
    """Let them call MiniStack."""
    with (
        strict_emulator(folder, function_python=Path(sys.executable)) as emulator,
        clients_call(emulator.url),
    ):
        yield


class TestBothEmulators:
    @pytest.mark.parametrize("story", ["live_a_stage", "live_a_preview"])
    def test_print_and_leave_the_same(self, tmp_path: Path, story: str) -> None:
        first, second = Account(tmp_path), Account(tmp_path)
        for emulator, account in ((ministack, first), (moto, second)):
            with emulator(tmp_path):
                account.set_up()
                getattr(account, story)()

        assert second.lines == first.lines
        assert second.facts == first.facts
        refusals = [line for line in second.lines if line.startswith("refused")]
        assert len(refusals) == (story == "live_a_stage"), refusals


class TestMoto:
    def test_leaves_resources_out_of_a_stack(self) -> None:
        templates = [json.loads(stack_updates.body(path)) for path in INFRASTRUCTURE.glob("*.yaml")]
        kinds = {resource["Type"] for each in templates for resource in each["Resources"].values()}
        listing = subprocess.run([PYTHON, "-c", LIST_RESOURCES], capture_output=True, text=True, check=True)

        assert kinds - set(listing.stdout.split()) == LEFT_OUT
