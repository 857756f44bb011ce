"""
`make prove-aws`: the commands of stages and previews at two emulators of AWS, MiniStack and moto.

Both must print the same and leave the same. botocore checks the parameters of every call, as always. The
functions run a stand-in for the API. tests/support/moto_launcher.py lists what moto cannot do, and does it.
LEFT_OUT are the resources that moto's CloudFormation does not create.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from apps.core.aws import clients
from apps.deployment.aws import stack_updates
from apps.devstack import environment as laptop
from apps.devstack.emulator import Emulator, free_port
from tests.deployment.emulated_account import INFRASTRUCTURE, Account
from tests.support import strict_mode
from tests.support.moto_server import ALONE, MotoServer

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


@pytest.fixture
def at_emulator() -> Iterator[Callable[[str], None]]:
    """Let the clients of this process, and the programs that it starts, call an emulator."""
    with pytest.MonkeyPatch.context() as patch:

        def point(url: str) -> None:
            for name, value in (laptop.EMBEDDED_AWS | {"AWS_ENDPOINT_URL": url}).items():
                patch.setenv(name, value)
            clients.forget_clients()

        yield point
    clients.forget_clients()


@pytest.fixture
def accounts(tmp_path: Path, at_emulator: Callable[[str], None]) -> Callable[[str], list[Account]]:
    """Let a story happen in an account at each emulator."""

    def play(story: str) -> list[Account]:
        emulator = Emulator(
            tmp_path,
            free_port(),
            durable=False,
            function_python=Path(sys.executable),
            launcher=strict_mode.LAUNCHER,
        )
        played = []
        for server in (emulator, MotoServer(tmp_path)):
            with ExitStack() as cleanup:
                cleanup.callback(server.stop)
                server.start()
                at_emulator(server.url)
                account = Account(tmp_path)
                account.set_up()
                getattr(account, story)()
                played.append(account)
        return played

    return play


class TestBothEmulators:
    @pytest.mark.parametrize("story", ["live_a_stage", "live_a_preview"])
    def test_print_and_leave_the_same(self, accounts: Callable[[str], list[Account]], story: str) -> None:
        ministack, moto = accounts(story)

        assert moto.lines == ministack.lines
        assert moto.facts == ministack.facts
        refusals = [line for line in moto.lines if line.startswith("refused")]
        assert len(refusals) == (story == "live_a_stage"), refusals


class TestMoto:
    def test_leaves_resources_out_of_a_stack(
        self, tmp_path: Path, at_emulator: Callable[[str], None]
    ) -> None:
        templates = [json.loads(stack_updates.body(path)) for path in INFRASTRUCTURE.glob("*.yaml")]
        types = {resource["Type"] for each in templates for resource in each["Resources"].values()}
        server = MotoServer(tmp_path, ALONE)
        server.start()
        at_emulator(server.url)

        try:
            assert {kind for kind in types if self.is_left_out(kind)} == LEFT_OUT
        finally:
            server.stop()

    def is_left_out(self, kind: str) -> bool:
        """Return whether moto makes nothing of a resource. Of one that it knows it misses the properties."""
        client, name = clients.cloudformation(), kind.replace("::", "-")
        body = json.dumps({"Resources": {"Resource": {"Type": kind, "Properties": {}}}})
        try:
            client.create_stack(StackName=name, TemplateBody=body)
        except (ClientError, ResponseParserError):
            return False
        (resource,) = client.describe_stack_resources(StackName=name)["StackResources"]
        return "PhysicalResourceId" not in resource
