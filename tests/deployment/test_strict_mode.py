"""The emulator refuses what AWS refuses: otherwise no test of a deployment proves anything."""

import io
import json
import uuid
import zipfile
from collections.abc import Callable
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from apps.core.aws import clients
from apps.deployment.aws import stack, stack_updates
from apps.deployment.errors import BusyError, StageError
from apps.devstack import provision
from apps.devstack.emulator import Emulator
from tests.deployment.role import Role
from tests.support import strict_mode

pytestmark = [pytest.mark.slow(cost=5), pytest.mark.emulator]

API = {
    "Api": {
        "Type": "AWS::ApiGateway::RestApi",
        "Properties": {"Name": "strict", "Tags": [{"Key": "owner", "Value": "tests"}]},
    },
    "Method": {
        "Type": "AWS::ApiGateway::Method",
        "Properties": {
            "RestApiId": {"Ref": "Api"},
            "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
            "HttpMethod": "GET",
            "AuthorizationType": "NONE",
            "Integration": {"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": "arn:none"},
        },
    },
}
OWN_APIS = {"StringEquals": {"aws:ResourceTag/owner": "tests"}}
STACKS = {"Effect": "Allow", "Action": "cloudformation:*", "Resource": "*"}
FUNCTIONS = {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}
APIS = [
    {"Effect": "Allow", "Action": "apigateway:POST", "Resource": "arn:aws:apigateway:us-east-1::/restapis"},
    {"Effect": "Allow", "Action": "apigateway:*", "Resource": "*", "Condition": OWN_APIS},
]


def package() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as zipped:
        zipped.writestr("handler.py", "")
    return content.getvalue()


def unique(start: str) -> str:
    return f"{start}-{uuid.uuid4().hex[:8]}"


def refused(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    """Return the code and the message of a refusal."""
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


@pytest.fixture
def role(provisioned_emulator: Emulator) -> str:
    return provision.stack_outputs()["FunctionRoleArn"]


@pytest.fixture
def new(role: str) -> dict[str, Any]:
    """The arguments that create a function."""
    return {
        "FunctionName": unique("strict"),
        "Runtime": "python3.13",
        "Role": role,
        "Handler": "handler.lambda_handler",
        "Code": {"ZipFile": package()},
    }


def create_stack(resources: dict[str, Any]) -> str:
    """Begin to make a stack and return its name."""
    name = unique("strict")
    clients.cloudformation().create_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}))
    return name


def status(name: str) -> str:
    """Return the status of a stack."""
    return clients.cloudformation().describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]


def finished(name: str) -> str:
    """Wait for a stack and return why something failed, or ""."""
    while status(name).endswith("IN_PROGRESS"):
        pass
    events = clients.cloudformation().describe_stack_events(StackName=name)["StackEvents"]
    return " ".join(
        e["ResourceStatusReason"] for e in events if e.get("ResourceStatus", "").endswith("CREATE_FAILED")
    )


class TestTags:
    def test_are_found_one_question_late(self, provisioned_emulator: Emulator) -> None:
        name = unique("strict")
        topic = boto3.client("sns").create_topic(Name=name, Tags=[{"Key": "name", "Value": name}])["TopicArn"]

        results = [self.find(name) for _ in range(2)]
        boto3.client("sns").delete_topic(TopicArn=topic)
        results += [self.find(name) for _ in range(2)]

        assert results == [[], [topic], [topic], []]

    def find(self, name: str) -> list[str]:
        answer = clients.tagging().get_resources(TagFilters=[{"Key": "name", "Values": [name]}])
        return [each["ResourceARN"] for each in answer["ResourceTagMappingList"]]


class TestGateway:
    def test_takes_one_deployment_in_a_while(
        self, provisioned_emulator: Emulator, request: pytest.FixtureRequest
    ) -> None:
        client = boto3.client("apigateway", config=Config(retries={"total_max_attempts": 1}))
        first, second = (client.create_rest_api(name="strict")["id"] for _ in range(2))
        set_seconds = partial(strict_mode.set_seconds_between_deployments, provisioned_emulator.url)

        client.create_deployment(restApiId=first)
        request.addfinalizer(partial(set_seconds, 0))
        set_seconds(3600)
        code, _ = refused(client.create_deployment, restApiId=second)

        assert code == "TooManyRequestsException"


class TestCloudFormation:
    def test_takes_time_and_refuses_a_change_meanwhile(
        self, provisioned_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client, template = clients.cloudformation(), json.dumps({"Resources": API})
        name = create_stack({"Api": API["Api"]})

        code, message = refused(client.update_stack, StackName=name, TemplateBody=template)
        assert (code, "IN_PROGRESS" in message) == ("ValidationError", True)
        assert status(name) == "CREATE_IN_PROGRESS"
        assert finished(name) == ""

        client.update_stack(StackName=name, TemplateBody=template)
        code, message = refused(client.delete_stack, StackName=name)
        assert code == "ValidationError"
        assert message.endswith("cannot be deleted while in status UPDATE_IN_PROGRESS")
        monkeypatch.setattr(stack_updates, "await_end", lambda _name: "")
        with pytest.raises(BusyError, match="Run this again"):
            stack_updates.delete(name)

    def test_deletes_a_stack_that_is_created(self, provisioned_emulator: Emulator) -> None:
        template = json.dumps({"Resources": {"Api": API["Api"]}})
        stack = clients.cloudformation().create_stack(StackName=unique("strict"), TemplateBody=template)

        clients.cloudformation().delete_stack(StackName=stack["StackId"])

        assert status(stack["StackId"]) == "DELETE_IN_PROGRESS"
        assert finished(stack["StackId"]) == ""
        assert status(stack["StackId"]) == "DELETE_COMPLETE"

    @pytest.mark.parametrize(
        ("rights", "credentials", "reason"),
        [
            ([], None, "apigateway:POST on resource: arn:aws:apigateway:us-east-1::/restapis "),
            (APIS[:1], None, "apigateway:PUT on resource: arn:aws:apigateway:us-east-1::/restapis/"),
            (APIS, "arn:aws:iam::1:role/x", "iam:PassRole on resource: arn:aws:iam::1:role/x"),
            (APIS, None, ""),
        ],
        ids=["no API", "no method", "no role", "all"],
    )
    def test_has_the_rights_of_its_caller(
        self, rights: list[Any], credentials: str | None, reason: str, provisioned_emulator: Emulator
    ) -> None:
        method = json.loads(json.dumps(API["Method"]))
        method["Properties"]["Integration"]["Credentials"] = credentials

        with Role(rights=[STACKS, *rights]).worn():
            failure = finished(create_stack({**API, "Method": method}))

        assert reason in failure
        assert bool(reason) == bool(failure)

    def test_is_awaited_before_zappa_fills_a_stack(self, provisioned_emulator: Emulator) -> None:
        name = create_stack({"Api": API["Api"]})  # by a deployment that was interrupted

        stack.ensure_exists(name)

        assert status(name) == "CREATE_COMPLETE"

    def test_reads_no_template_that_its_caller_may_not(self, provisioned_emulator: Emulator) -> None:
        create, url = clients.cloudformation().create_stack, "https://s3.amazonaws.com/bucket/strict.json"

        with Role(rights=[STACKS]).worn():
            _, message = refused(create, StackName=unique("strict"), TemplateURL=url)

        assert "s3:GetObject on resource: arn:aws:s3:::bucket/strict.json" in message


class TestLambda:
    @pytest.mark.parametrize(
        ("change", "arguments"),
        [
            ("update_function_code", {"ZipFile": package()}),
            ("update_function_configuration", {"Timeout": 5}),
            ("publish_version", {}),
        ],
    )
    def test_refuses_a_change_while_another_is_in_progress(
        self, new: dict[str, Any], change: str, arguments: dict[str, Any]
    ) -> None:
        client, function = clients.lambda_client(), {"FunctionName": new["FunctionName"]}
        client.create_function(**new)

        code, _ = refused(getattr(client, change), **function, **arguments)
        state = client.get_function_configuration(**function)["State"]
        getattr(client, change)(**function, **arguments)

        assert (code, state) == ("ResourceConflictException", "Pending")

    @pytest.mark.parametrize(
        ("change", "refusal"),
        [
            ({"Environment": {"Variables": {"A": "x" * 4096}}}, "InvalidParameterValueException"),
            ({"Code": {"ZipFile": bytes(52_500_000)}}, "RequestEntityTooLargeException"),
        ],
        ids=["4 kB of variables", "50 MB of package"],
    )
    def test_has_quotas(self, new: dict[str, Any], change: dict[str, Any], refusal: str) -> None:
        assert refused(clients.lambda_client_long_timeout().create_function, **new | change)[0] == refusal

    def test_leaves_100_requests_at_once_unreserved(self, new: dict[str, Any]) -> None:
        reserve = clients.lambda_client().put_function_concurrency
        name = clients.lambda_client().create_function(**new)["FunctionName"]

        code, message = refused(reserve, FunctionName=name, ReservedConcurrentExecutions=901)

        assert code == "InvalidParameterValueException"
        assert "Ask AWS for more, or lower `lambda_concurrency`" in str(StageError(message))

    def test_is_handed_no_role_that_its_caller_may_not(self, new: dict[str, Any]) -> None:
        create = clients.lambda_client().create_function
        condition = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
        passing = {
            "Effect": "Allow",
            "Action": "iam:PassRole",
            "Resource": new["Role"],
            "Condition": condition,
        }

        with Role(rights=[FUNCTIONS]).worn():
            _, message = refused(create, **new)
        with Role(rights=[FUNCTIONS, passing]).worn():
            assert create(**new)["Role"] == new["Role"]

        assert f"iam:PassRole on resource: {new['Role']}" in message

    def test_knows_a_new_role_after_a_while(
        self, provisioned_emulator: Emulator, new: dict[str, Any]
    ) -> None:
        create = clients.lambda_client().create_function
        strict_mode.refuse_roles(provisioned_emulator.url, 1)

        code, message = refused(create, **new)
        create(**new)

        assert code == "InvalidParameterValueException"
        assert "cannot be assumed by Lambda. Look whether the stack's roles" in str(StageError(message))
