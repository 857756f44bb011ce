"""
`make prove-aws`: the commands of stages and previews at two emulators of AWS, MiniStack and moto.

Both must print the same and leave the same. botocore checks the parameters of every call, as always. The
functions run a stand-in for the API, which moto starts as tests/support/moto_launcher.py says. What moto
alone cannot do is in TestMotoAlone and LEFT_OUT, which fail when moto has learnt it.
"""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from apps.core.aws import clients
from apps.deployment.aws import stack_updates
from apps.devstack import environment as laptop
from apps.devstack.emulator import Emulator, free_port
from tests.deployment.emulated_account import INFRASTRUCTURE, Account, create_function
from tests.support import strict_mode
from tests.support.moto_server import ALONE, MotoServer
from tests.support.waiting import LIMIT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
QUEUE = {"Type": "AWS::SQS::Queue"}
API = {
    "Type": "AWS::ApiGateway::RestApi",
    "Properties": {"Name": "api", "Tags": [{"Key": "a", "Value": "b"}]},
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


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of moto's server as it is published."""
    server = MotoServer(tmp_path_factory.mktemp("moto"), ALONE)
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def at_moto_alone(alone: str, at_emulator: Callable[[str], None]) -> None:
    requests.post(f"{alone}/moto-api/reset", timeout=LIMIT_SECONDS).raise_for_status()
    at_emulator(alone)


def create_stack(resources: dict[str, Any], **more: Any) -> None:
    """Create a stack `s`."""
    body = json.dumps({"Resources": resources, **more})
    clients.cloudformation().create_stack(StackName="s", TemplateBody=body)


def update_stack(resources: dict[str, Any], value: str = "", **more: Any) -> None:
    """Update the stack `s`, which has one parameter."""
    body = json.dumps({"Resources": resources, **more})
    parameters: list[Any] = [
        {"ParameterKey": key, "ParameterValue": value} for key in more.get("Parameters", {})
    ]
    clients.cloudformation().update_stack(StackName="s", TemplateBody=body, Parameters=parameters)


@pytest.mark.usefixtures("at_moto_alone")
class TestMotoAlone:
    """What moto_launcher.py and the accounts above do because moto does not."""

    def test_runs_functions_in_docker_only(self) -> None:
        create_function("f")

        answer = clients.lambda_client().invoke(FunctionName="f")

        assert answer["Payload"].read().startswith(b"error running docker")

    def test_knows_no_revision_of_a_function(self) -> None:
        create_function("f")

        assert "RevisionId" not in clients.lambda_client().get_function_configuration(FunctionName="f")

    def test_does_not_list_the_urls_of_a_function(self) -> None:
        create_function("f")

        with pytest.raises(ClientError, match="404"):
            clients.lambda_client().list_function_url_configs(FunctionName="f")

    def test_leaves_resources_out_of_a_stack(self) -> None:
        templates = [json.loads(stack_updates.body(path)) for path in INFRASTRUCTURE.glob("*.yaml")]
        types = {resource["Type"] for each in templates for resource in each["Resources"].values()}

        assert {kind for kind in types if self.is_left_out(kind)} == LEFT_OUT

    def is_left_out(self, kind: str) -> bool:
        """Return whether moto makes nothing of a resource. Of one that it knows it misses the properties."""
        client = clients.cloudformation()
        body = json.dumps({"Resources": {"Resource": {"Type": kind, "Properties": {}}}})
        try:
            client.create_stack(StackName=kind.replace("::", "-"), TemplateBody=body)
        except (ClientError, ResponseParserError):
            return False
        (resource,) = client.describe_stack_resources(StackName=kind.replace("::", "-"))["StackResources"]
        return "PhysicalResourceId" not in resource

    def test_adds_resources_before_it_changes_others(self) -> None:
        role = clients.iam().create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        properties = {"FunctionName": "f", "Handler": "index.f", "Role": role, "Runtime": "python3.13"}
        version = {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "F"}}}

        clients.s3().create_bucket(Bucket="functions")

        def function(code: str) -> dict[str, Any]:
            clients.s3().put_object(Bucket="functions", Key=code, Body=code.encode())
            place = {"S3Bucket": "functions", "S3Key": code}
            return {"Type": "AWS::Lambda::Function", "Properties": {**properties, "Code": place}}

        create_stack({"F": function("before"), "First": version})
        update_stack({"F": function("after"), "First": version, "Second": version})

        latest, *versions = clients.lambda_client().list_versions_by_function(FunctionName="f")["Versions"]
        assert all(version["CodeSha256"] != latest["CodeSha256"] for version in versions)

    def test_adds_nothing_whose_condition_becomes_true(self) -> None:
        template: dict[str, Any] = {
            "Parameters": {"Value": {"Type": "String", "Default": ""}},
            "Conditions": {"HasValue": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Value"}, ""]}]}},
        }
        resources = {"Api": {**API, "Condition": "HasValue"}, "Queue": QUEUE}
        create_stack(resources, **template)
        update_stack(resources, "given", **template)

        assert clients.apigateway().get_rest_apis()["items"] == []

    def test_leaves_the_api_of_a_deleted_stack(self) -> None:
        create_stack({"Api": API})
        clients.cloudformation().delete_stack(StackName="s")

        assert [each["name"] for each in clients.apigateway().get_rest_apis()["items"]] == ["api"]

    def test_forgets_tags_and_binary_types_of_an_api(self) -> None:
        create_stack({"Api": API})
        (api,) = clients.apigateway().get_rest_apis()["items"]

        patched = clients.apigateway().update_rest_api(
            restApiId=api["id"], patchOperations=[{"op": "add", "path": "/binaryMediaTypes/*~1*"}]
        )

        assert (api["tags"], patched["binaryMediaTypes"]) == ({}, [""])

    def test_keeps_no_default_of_a_parameter(self) -> None:
        parameters = {"Value": {"Type": "String", "Default": ""}}
        create_stack({"Queue": QUEUE}, Parameters=parameters)

        with pytest.raises(ResponseParserError, match="500 Internal Server Error"):
            clients.cloudformation().update_stack(
                StackName="s",
                TemplateBody=json.dumps(
                    {"Resources": {"Queue": QUEUE, "Api": API}, "Parameters": parameters}
                ),
                Parameters=[{"ParameterKey": "Value", "UsePreviousValue": True}],
            )
