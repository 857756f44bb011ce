"""The template in an account that has a pool, a table, a bucket and a secret already."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from apps.core.aws import clients
from apps.devstack import stack
from tests.deployment.role import policy_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apps.devstack.emulator import Emulator

pytestmark = [pytest.mark.slow(cost=5), pytest.mark.emulator]


@pytest.fixture
def theirs(furnished_emulator: Emulator) -> dict[str, str]:
    """Existing resources, by the parameter that names them."""
    name = f"theirs-{uuid.uuid4().hex[:8]}"
    pool = clients.cognito().create_user_pool(PoolName=name)["UserPool"]["Id"]
    client = clients.cognito().create_user_pool_client(UserPoolId=pool, ClientName=name)["UserPoolClient"]
    clients.dynamodb().create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "user_id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "user_id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    clients.s3().create_bucket(Bucket=name)
    secret = clients.secrets_manager().create_secret(Name=name, SecretString="{}")["ARN"]
    return {
        "ExistingUserPoolId": pool,
        "ExistingClientId": client["ClientId"],
        "ExistingDomainUrl": "https://sign-in.example",
        "ExistingClaimsTable": name,
        "ExistingUploadsBucket": name,
        "ExistingSecretArn": secret,
    }


@pytest.fixture
def made(theirs: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """The outputs of a stack that takes it."""
    stage = f"t{uuid.uuid4().hex[:8]}"
    monkeypatch.setattr(stack, "NAME", f"moped-{stage}")
    required = {
        "Stage": stage,
        "SubnetIds": "subnet-1,subnet-2",
        "SecurityGroupIds": "sg-1",
        "AlarmEmail": "on.call@austintexas.gov",
        "MonthlyDollars": "0",  # the emulator knows no budgets
    }
    return stack.deploy({**required, **theirs})


class TestExistingResources:
    def test_are_named_to_the_function(self, made: Mapping[str, str], theirs: dict[str, str]) -> None:
        named = ("UserPoolId", "ClientId", "DomainUrl", "ClaimsTable", "UploadsBucket", "ConfigurationSecret")

        assert [made[output] for output in named] == list(theirs.values())

    def test_are_not_made_a_second_time(self, made: Mapping[str, str]) -> None:
        listed = clients.cloudformation().list_stack_resources(StackName=stack.NAME)["StackResourceSummaries"]

        types = {each["ResourceType"] for each in listed}
        assert "AWS::S3::Bucket" in types  # for deployments
        assert not [kind for kind in types if kind.startswith(("AWS::Cognito", "AWS::DynamoDB"))]

    def test_are_all_that_the_role_reaches(self, made: Mapping[str, str], theirs: dict[str, str]) -> None:
        reached: dict[str, Any] = {
            each["Sid"]: each["Resource"] for each in policy_of(made["FunctionRoleArn"], "api")["Statement"]
        }

        bucket = f"arn:aws:s3:::{theirs['ExistingUploadsBucket']}"
        pool = clients.cognito().describe_user_pool(UserPoolId=theirs["ExistingUserPoolId"])["UserPool"]
        table = clients.dynamodb().describe_table(TableName=theirs["ExistingClaimsTable"])["Table"]
        assert reached["Accounts"] == pool["Arn"]
        assert reached["Claims"] == table["TableArn"]
        assert (reached["Files"], reached["Bucket"]) == (f"{bucket}/*", bucket)
        assert reached["Configuration"] == theirs["ExistingSecretArn"]

    def test_have_a_recipient(self, made: Mapping[str, str]) -> None:
        alarms = boto3.client("cloudwatch").describe_alarms()["MetricAlarms"]
        listed = clients.cloudformation().list_stack_resources(StackName=stack.NAME)["StackResourceSummaries"]
        ours = {each["PhysicalResourceId"] for each in listed if each["ResourceType"].endswith("::Alarm")}
        (topic,) = [each["PhysicalResourceId"] for each in listed if each["ResourceType"].endswith("::Topic")]

        actions = [alarm["AlarmActions"] for alarm in alarms if alarm["AlarmName"] in ours]
        assert actions == [[topic]] * len(ours) != []

    def test_are_reached_through_the_network_that_is_given(self, made: Mapping[str, str]) -> None:
        assert policy_of(made["FunctionRoleArn"], "networks")["Statement"][1]["Effect"] == "Deny"
        assert made["SubnetIds"] == "subnet-1,subnet-2"
