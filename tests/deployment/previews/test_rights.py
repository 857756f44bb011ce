"""The rights of previews and of the job that creates them, in an emulator that enforces IAM."""

import io
import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from django.core.management import call_command

from tests.deployment.previews.aws_account import Account
from tests.deployment.role import acting_with

pytestmark = [pytest.mark.slow(cost=10, group="previews"), pytest.mark.emulator]

NUMBER = "512"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
# A value that is the name of an output of staging's stack stands for the output.
TABLE, POOL, SECRET = {"TableName": "ClaimsTable"}, {"UserPoolId": "UserPoolId"}, {"SecretId": "SmokeSecret"}
BUCKET = {"Bucket": "UploadsBucket"}
ITEM = {"user_id": {"S": "smoke.test@austintexas.gov"}}
Case = tuple[str, str, dict[str, Any]]
PREVIEW_MAY: list[Case] = [
    ("dynamodb", "get_item", {**TABLE, "Key": ITEM}),
    ("cognito-idp", "list_users", POOL),
    ("secretsmanager", "get_secret_value", {"SecretId": "ConfigurationSecret"}),
    ("s3", "list_objects_v2", {**BUCKET, "Prefix": "previews/512/"}),
    ("s3", "put_object", {**BUCKET, "Key": "previews/512/x", "Body": b"x"}),
    ("s3", "get_object", {**BUCKET, "Key": "previews/512/x"}),
]
# What a preview may not do, even if its role allowed everything: its boundary does not.
BOUNDARY_DENIES: list[Case] = [
    ("dynamodb", "put_item", {**TABLE, "Item": ITEM}),
    ("dynamodb", "delete_item", {**TABLE, "Key": ITEM}),
    ("cognito-idp", "admin_create_user", {**POOL, "Username": "new@austintexas.gov"}),
    ("secretsmanager", "put_secret_value", {**SECRET, "SecretString": "{}"}),
    ("s3", "delete_object", {**BUCKET, "Key": "previews/512/x"}),
    ("iam", "list_roles", {}),
    ("iam", "create_user", {"UserName": "intruder"}),
    ("lambda", "list_functions", {}),
    ("lambda", "delete_function", {"FunctionName": "moped-api-production"}),
]
ROLE_DENIES: list[Case] = [
    ("dynamodb", "scan", TABLE),
    ("secretsmanager", "get_secret_value", SECRET),
    ("s3", "put_object", {**BUCKET, "Key": "private/project/1/x", "Body": b"x"}),
    ("s3", "get_object", {**BUCKET, "Key": "private/project/1/x_x_x_plan.pdf"}),
    ("s3", "list_objects_v2", BUCKET),
    ("s3", "list_objects_v2", {**BUCKET, "Prefix": "private/"}),
]
DEPLOYER_MAY_NOT: list[Case] = [
    ("lambda", "update_function_configuration", {"FunctionName": "moped-api-staging", "Description": "x"}),
    ("lambda", "delete_function", {"FunctionName": "moped-api-production"}),
    ("lambda", "delete_function", {"FunctionName": "moped-api-preview"}),
    ("logs", "delete_log_group", {"logGroupName": "/aws/lambda/moped-api-production"}),
    ("s3", "get_object", {"Bucket": "DeploymentBucket", "Key": "moped-api-staging.zip"}),
    ("cloudformation", "delete_stack", {"StackName": "moped-api-production"}),
    ("cloudformation", "delete_stack", {"StackName": "moped-staging"}),
    ("apigateway", "get_domain_names", {}),
    ("iam", "create_user", {"UserName": "intruder"}),
]


def is_allowed(account: Account, service: str, call: str, parameters: dict[str, Any]) -> bool:
    client: Any = boto3.Session().client(service)  # type: ignore[call-overload]
    values = {
        name: account.outputs.get(value, value) if isinstance(value, str) else value
        for name, value in parameters.items()
    }
    try:
        getattr(client, call)(**values)
    except ClientError as error:
        return error.response["Error"]["Code"] not in {"AccessDenied", "AccessDeniedException"}
    return True


def allowed_to(account: Account, output: str, cases: list[Case]) -> list[Case]:
    """Return what a role of staging's stack is allowed to do."""
    role = {"RoleArn": account.outputs[output], "RoleSessionName": "rights"}
    return allowed_with(account.client("sts").assume_role(**role)["Credentials"], account, cases)


def allowed_with(credentials: Any, account: Account, cases: list[Case]) -> list[Case]:
    with acting_with(credentials):
        return [case for case in cases if is_allowed(account, *case)]


class TestPreviewRole:
    def test_reads_what_staging_reads_and_keeps_files(self, at_aws: Account) -> None:
        cases = PREVIEW_MAY + BOUNDARY_DENIES + ROLE_DENIES

        assert allowed_to(at_aws, "PreviewRoleArn", cases) == PREVIEW_MAY
        call_command("preview", "down", NUMBER, stdout=io.StringIO())

    def test_has_a_boundary(self, at_aws: Account) -> None:
        policy = {"RoleName": at_aws.outputs["PreviewRoleArn"].rpartition("/")[2], "PolicyName": "everything"}
        at_aws.client("iam").put_role_policy(**policy, PolicyDocument=json.dumps(EVERYTHING))
        beyond = allowed_to(at_aws, "PreviewRoleArn", BOUNDARY_DENIES)
        at_aws.client("iam").delete_role_policy(**policy)

        assert beyond == []


class TestFunctionRole:
    def test_reads_the_addresses_of_previews(self, at_aws: Account) -> None:
        cases: list[Case] = [
            ("lambda", "get_function_url_config", {"FunctionName": name, "Qualifier": "live"})
            for name in ("moped-api-pr-7", "moped-api-production")
        ]
        assert allowed_to(at_aws, "FunctionRoleArn", cases) == cases[:1]


class TestPreviewDeploymentRole:
    """test_commands.py shows that its rights are enough, test_infrastructure.py what it may pass."""

    def test_reaches_only_previews(self, at_aws: Account) -> None:
        assert allowed_with(at_aws.deployer, at_aws, DEPLOYER_MAY_NOT) == []
