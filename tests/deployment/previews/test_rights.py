"""What previews may do, and what those may do who make them: asked of an AWS that enforces IAM."""

from __future__ import annotations

import io
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from django.core.management import call_command

from tests.deployment.role import Role
from tests.deployment.template import resources, statements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.deployment.previews.aws_account import Account

pytestmark = [pytest.mark.slow(cost=25), pytest.mark.emulator]

NUMBER = 512
DENIED = {"AccessDenied", "AccessDeniedException"}
TABLE, POOL, BUCKET, SECRET = "ClaimsTable", "UserPoolId", "UploadsBucket", "ConfigurationSecret"
KEY = {"user_id": {"S": "smoke.test@austintexas.gov"}}
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
# Service, call, the resource and the name of its parameter, and what else it wants.
LOOKS: list[tuple[str, str, str, str, dict[str, Any]]] = [
    ("dynamodb", "get_item", TABLE, "TableName", {"Key": KEY}),
    ("cognito-idp", "list_users", POOL, "UserPoolId", {}),
    ("secretsmanager", "get_secret_value", SECRET, "SecretId", {}),
    ("s3", "list_objects_v2", BUCKET, "Bucket", {"Prefix": "previews/512/"}),
    ("s3", "put_object", BUCKET, "Bucket", {"Key": "previews/512/x", "Body": b"x"}),
    ("s3", "get_object", BUCKET, "Bucket", {"Key": "previews/512/x"}),
]
CHANGES: list[tuple[str, str, str, str, dict[str, Any]]] = [
    ("dynamodb", "put_item", TABLE, "TableName", {"Item": KEY}),
    ("dynamodb", "delete_item", TABLE, "TableName", {"Key": KEY}),
    ("dynamodb", "scan", TABLE, "TableName", {}),
    ("cognito-idp", "admin_create_user", POOL, "UserPoolId", {"Username": "new@austintexas.gov"}),
    ("cognito-idp", "admin_delete_user", POOL, "UserPoolId", {"Username": "smoke.test@austintexas.gov"}),
    ("secretsmanager", "put_secret_value", SECRET, "SecretId", {"SecretString": "{}"}),
    ("s3", "put_object", BUCKET, "Bucket", {"Key": "private/project/1/x", "Body": b"x"}),
    ("s3", "get_object", BUCKET, "Bucket", {"Key": "private/project/1/x_x_x_plan.pdf"}),
    ("s3", "list_objects_v2", BUCKET, "Bucket", {}),
    ("s3", "list_objects_v2", BUCKET, "Bucket", {"Prefix": "private/"}),
    ("s3", "delete_object", BUCKET, "Bucket", {"Key": "previews/512/x"}),
]
ELSEWHERE: list[tuple[str, str, dict[str, Any]]] = [
    ("iam", "list_roles", {}),
    ("iam", "create_user", {"UserName": "sneaked"}),
    ("lambda", "list_functions", {}),
    ("lambda", "update_function_configuration", {"FunctionName": "moped-api-staging", "Description": "x"}),
]
FUNCTION_ACTIONS = (
    *("AddPermission", "CreateAlias", "CreateFunction", "CreateFunctionUrlConfig", "DeleteFunction"),
    *("PublishVersion", "PutFunctionConcurrency", "UpdateAlias", "UpdateFunctionCode", "TagResource"),
)
# What the role that deploys previews may not touch.
BEYOND: list[tuple[str, str, dict[str, Any]]] = [
    ("lambda", "update_function_configuration", {"FunctionName": "moped-api-staging", "Description": "x"}),
    ("lambda", "delete_function", {"FunctionName": "moped-api-production"}),
    ("lambda", "delete_function", {"FunctionName": "moped-api-preview"}),
    ("cloudformation", "delete_stack", {"StackName": "moped-api-production"}),
    ("cloudformation", "delete_stack", {"StackName": "moped-staging"}),
    ("apigateway", "get_domain_names", {}),
    ("iam", "create_user", {"UserName": "sneaked"}),
]


def in_a_stack(name: str, decision: str) -> list[tuple[str, str, str]]:
    """Return what CloudFormation does with the caller's rights in the stack of a preview, or of another."""
    function = f"arn:aws:lambda:us-east-1:000000000000:function:moped-api-{name}"
    log_group = f"arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/moped-api-{name}"
    is_preview = decision == "allowed"
    package = "arn:aws:s3:::{DeploymentBucket}/" + (
        "previews/12/x.zip" if is_preview else "moped-api-staging.zip"
    )
    return [
        *((f"lambda:{action}", function, decision) for action in FUNCTION_ACTIONS),
        *((f"logs:{action}", log_group, decision) for action in ("CreateLogGroup", "PutRetentionPolicy")),
        ("s3:GetObject", package, decision),
    ]


def as_role(account: Account, arn: str) -> boto3.Session:
    return session_of(account.client("sts").assume_role(RoleArn=arn, RoleSessionName="rights")["Credentials"])


def session_of(given: Any) -> boto3.Session:
    return boto3.Session(
        given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region_name="us-east-1"
    )


def ask(account: Account, session: boto3.Session, service: str, call: str, **wanted: Any) -> str:
    """Return "" or the code of the refusal."""
    client = session.client(service, endpoint_url=account.emulator.url)  # type: ignore[call-overload]
    try:
        getattr(client, call)(**wanted)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


@pytest.fixture(scope="module")
def preview(at_aws: Account) -> boto3.Session:
    return as_role(at_aws, at_aws.made["staging"]["PreviewRoleArn"])


@pytest.fixture(scope="module")
def deployer(at_aws: Account) -> Iterator[Role]:
    """The rights of whoever makes previews; its original is for GitHub's own identity to assume."""
    role = Role(at_aws.made["staging"]["PreviewDeploymentRoleArn"], "previews")
    yield role
    at_aws.client("iam").delete_role_policy(RoleName=role._name, PolicyName="api")
    at_aws.client("iam").delete_role(RoleName=role._name)


def identity(case: tuple[Any, ...]) -> str:
    return f"{case[0]} {case[1]}"


class TestPreviewRole:
    def test_may_look_at_what_staging_has_and_keep_files_of_its_own(
        self, at_aws: Account, preview: boto3.Session
    ) -> None:
        for service, call, output, parameter, more in LOOKS:
            wanted = {parameter: at_aws.made["staging"][output], **more}
            assert ask(at_aws, preview, service, call, **wanted) == "", f"{service} {call}"
        call_command("preview", "down", str(NUMBER), stdout=io.StringIO())

    @pytest.mark.parametrize("case", CHANGES, ids=identity)
    def test_may_change_nothing_of_staging(self, at_aws: Account, preview: boto3.Session, case: Any) -> None:
        service, call, output, parameter, more = case
        wanted = {parameter: at_aws.made["staging"][output], **more}

        assert ask(at_aws, preview, service, call, **wanted) in DENIED

    @pytest.mark.parametrize("case", ELSEWHERE, ids=identity)
    @pytest.mark.parametrize("boundary", [False, True], ids=["by its rights", "by its boundary"])
    def test_may_do_nothing_elsewhere_whatever_is_written_into_it(
        self,
        at_aws: Account,
        preview: boto3.Session,
        case: Any,
        boundary: bool,  # noqa: FBT001 (a case)
    ) -> None:
        service, call, wanted = case
        with everything_allowed(at_aws) if boundary else nothing():
            assert ask(at_aws, preview, service, call, **wanted) in DENIED

    def test_has_its_boundary_in_the_template_too(self) -> None:
        # The emulator's CloudFormation leaves it out; the tests' account is given it by hand.
        assert resources()["PreviewRole"]["Properties"]["PermissionsBoundary"] == "PreviewBoundary"

    def test_may_not_write_claims_even_if_it_is_written_into_it(
        self, at_aws: Account, preview: boto3.Session
    ) -> None:
        table = at_aws.made["staging"][TABLE]
        with everything_allowed(at_aws):
            assert ask(at_aws, preview, "dynamodb", "put_item", TableName=table, Item=KEY) in DENIED


class TestPreviewDeploymentRole:
    def test_is_enough_for_a_whole_life(self, at_aws: Account, deployer: Role) -> None:
        package, overlay = str(at_aws.package.path), str(at_aws.overlay())
        up = ("up", str(NUMBER), "--package", package, "--overlay", overlay, "--commit")
        out = io.StringIO()
        with deployer.worn():
            for words in (
                (*up, "aaa"),
                (*up, "bbb"),
                ("list",),
                ("sweep", "--open", str(NUMBER), "--spare", "0", "--yes"),
                ("sweep", "--open", "--spare", "0", "--yes"),
                (*up, "ccc"),
                ("down", str(NUMBER)),
            ):
                call_command("preview", *words, stdout=out)

        assert f"pr_{NUMBER}: nothing is left" in out.getvalue()
        assert at_aws.of_previews() == [f"role {deployer._name}"]

    @pytest.mark.parametrize("case", BEYOND, ids=identity)
    def test_reaches_nothing_that_is_no_preview(self, at_aws: Account, deployer: Role, case: Any) -> None:
        service, call, wanted = case

        assert ask(at_aws, session_of(deployer._given["Credentials"]), service, call, **wanted) in DENIED

    @pytest.mark.parametrize(
        ("action", "resource", "allowed"),
        [*in_a_stack("pr-12", "allowed"), *in_a_stack("staging", "implicitDeny")],
    )
    def test_has_the_rights_that_cloudformation_uses(
        self, at_aws: Account, action: str, resource: str, allowed: str
    ) -> None:
        # The emulator's CloudFormation does not ask for the caller's rights, so the policy is asked.
        resource = resource.format(**at_aws.made["staging"])
        decision = at_aws.client("iam").simulate_principal_policy(
            PolicySourceArn=at_aws.made["staging"]["PreviewDeploymentRoleArn"],
            ActionNames=[action],
            ResourceArns=[resource],
        )

        assert decision["EvaluationResults"][0]["EvalDecision"] == allowed

    def test_passes_the_role_of_previews_alone(self) -> None:
        passing = [each for each in statements("PreviewDeploymentRole") if "iam:PassRole" in each["Action"]]

        assert [(each["Resource"], each["Condition"]) for each in passing] == [
            ("PreviewRole.Arn", {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}})
        ]


@contextmanager
def everything_allowed(account: Account) -> Iterator[None]:
    role = account.made["staging"]["PreviewRoleArn"].rpartition("/")[2]
    account.client("iam").put_role_policy(
        RoleName=role, PolicyName="everything", PolicyDocument=json.dumps(EVERYTHING)
    )
    try:
        yield
    finally:
        account.client("iam").delete_role_policy(RoleName=role, PolicyName="everything")


@contextmanager
def nothing() -> Iterator[None]:
    yield
