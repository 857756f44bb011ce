"""The emulator refuses what AWS refuses: otherwise no test of a deployment proves anything."""

import io
import json
import uuid
import zipfile
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from apps.core.aws import clients
from apps.deployment.aws import stack_updates
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
def settings_of_function(role: str) -> dict[str, Any]:
    return {
        "FunctionName": unique("strict"),
        "Runtime": "python3.13",
        "Role": role,
        "Handler": "handler.lambda_handler",
        "Code": {"ZipFile": package()},
    }


@pytest.fixture
def function(settings_of_function: dict[str, Any]) -> str:
    """A new function whose state was not requested yet."""
    return clients.lambda_client().create_function(**settings_of_function)["FunctionName"]


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
    def test_takes_one_deployment_in_a_while(self, provisioned_emulator: Emulator) -> None:
        client = boto3.client("apigateway", config=Config(retries={"total_max_attempts": 1}))
        first, second = (client.create_rest_api(name="strict")["id"] for _ in range(2))

        client.create_deployment(restApiId=first)
        with strict_mode.seconds_between_deployments(provisioned_emulator.url, 3600):
            code, _ = refused(client.create_deployment, restApiId=second)

        assert code == "TooManyRequestsException"


class TestCloudFormation:
    def test_takes_time_and_refuses_a_change_meanwhile(self, provisioned_emulator: Emulator) -> None:
        name = create_stack({"Api": API["Api"]})

        template = json.dumps({"Resources": API})
        code, message = refused(clients.cloudformation().update_stack, StackName=name, TemplateBody=template)

        assert (code, "IN_PROGRESS" in message) == ("ValidationError", True)
        assert status(name) == "CREATE_IN_PROGRESS"
        assert finished(name) == ""

    def test_deletes_no_stack_that_is_updated(
        self, provisioned_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client = clients.cloudformation()
        name = create_stack({"Api": API["Api"]})
        assert finished(name) == ""
        client.update_stack(StackName=name, TemplateBody=json.dumps({"Resources": API}))

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
        ("statements", "reason"),
        [
            ([STACKS], "apigateway:POST on resource: arn:aws:apigateway:us-east-1::/restapis "),
            ([STACKS, APIS[0]], "apigateway:PUT on resource: arn:aws:apigateway:us-east-1::/restapis/"),
            ([STACKS, *APIS], ""),
        ],
        ids=["no API", "no method", "all"],
    )
    def test_has_the_rights_of_its_caller(
        self, statements: list[Any], reason: str, provisioned_emulator: Emulator
    ) -> None:
        with Role(rights=statements).worn():
            failure = finished(create_stack(API))

        assert reason in failure
        assert bool(reason) == bool(failure)

    def test_reads_no_template_that_its_caller_may_not(self, provisioned_emulator: Emulator) -> None:
        bucket = provision.stack_outputs()["DeploymentBucket"]
        clients.s3().put_object(
            Bucket=bucket, Key="strict.json", Body=json.dumps({"Resources": API}).encode()
        )

        with Role(rights=[STACKS, *APIS]).worn():
            _, message = refused(
                clients.cloudformation().create_stack,
                StackName=unique("strict"),
                TemplateURL=f"https://s3.amazonaws.com/{bucket}/strict.json",
            )

        assert f"s3:GetObject on resource: arn:aws:s3:::{bucket}/strict.json" in message

    def test_hands_over_no_role_that_its_caller_may_not(self, role: str) -> None:
        method = json.loads(json.dumps(API["Method"]))
        method["Properties"]["Integration"]["Credentials"] = role

        with Role(rights=[STACKS, *APIS]).worn():
            failure = finished(create_stack({**API, "Method": method}))

        assert f"iam:PassRole on resource: {role}" in failure


class TestLambda:
    @pytest.mark.parametrize("change", ["code", "configuration", "version"])
    def test_refuses_a_change_while_another_is_in_progress(self, function: str, change: str) -> None:
        client = clients.lambda_client()
        changes: dict[str, Any] = {
            "code": (client.update_function_code, {"ZipFile": package()}),
            "configuration": (client.update_function_configuration, {"Timeout": 5}),
            "version": (client.publish_version, {}),
        }
        call, arguments = changes[change]

        code, _ = refused(call, FunctionName=function, **arguments)
        state = client.get_function_configuration(FunctionName=function)["State"]
        call(FunctionName=function, **arguments)

        assert (code, state) == ("ResourceConflictException", "Pending")

    @pytest.mark.parametrize(
        ("change", "refusal"),
        [
            ({"Environment": {"Variables": {"A": "x" * 4096}}}, "InvalidParameterValueException"),
            ({"Code": {"ZipFile": bytes(52_500_000)}}, "RequestEntityTooLargeException"),
        ],
        ids=["4 kB of variables", "50 MB of package"],
    )
    def test_has_quotas(
        self, settings_of_function: dict[str, Any], change: dict[str, Any], refusal: str
    ) -> None:
        create = clients.lambda_client_long_timeout().create_function

        assert refused(create, **settings_of_function | change)[0] == refusal

    def test_leaves_100_requests_at_once_unreserved(self, function: str) -> None:
        code, message = refused(
            clients.lambda_client().put_function_concurrency,
            FunctionName=function,
            ReservedConcurrentExecutions=901,
        )

        assert code == "InvalidParameterValueException"
        assert "Ask AWS for more, or lower `lambda_concurrency`" in str(StageError(message))

    def test_is_handed_no_role_that_its_caller_may_not(self, settings_of_function: dict[str, Any]) -> None:
        role, create = settings_of_function["Role"], clients.lambda_client().create_function
        condition = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
        passing = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": role, "Condition": condition}

        with Role(rights=[FUNCTIONS]).worn():
            _, message = refused(create, **settings_of_function)
        with Role(rights=[FUNCTIONS, passing]).worn():
            assert create(**settings_of_function)["Role"] == role

        assert f"iam:PassRole on resource: {role}" in message

    def test_knows_a_new_role_after_a_while(
        self, provisioned_emulator: Emulator, settings_of_function: dict[str, Any]
    ) -> None:
        create = clients.lambda_client().create_function
        strict_mode.refuse_roles(provisioned_emulator.url, 1)

        code, message = refused(create, **settings_of_function)
        create(**settings_of_function)

        assert code == "InvalidParameterValueException"
        assert "cannot be assumed by Lambda. Look whether the stack's roles" in str(StageError(message))
