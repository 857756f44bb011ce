"""The template in an account that has a pool, a table, a bucket and a secret already."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from apps.core.aws import clients
from apps.deployment.aws import stack_updates
from apps.deployment.paths import TEMPLATE
from apps.devstack.emulator import Emulator
from tests.deployment.role import policy_of
from tests.support.emulator_fixtures import clients_call

pytestmark = [pytest.mark.slow(cost=5), pytest.mark.emulator]

NAME = f"existing-{uuid.uuid4().hex[:8]}"
STACK = f"moped-{NAME}"
# What the stack takes beside the existing resources.
REQUIRED = {
    "Stage": NAME,
    "SubnetIds": "subnet-1,subnet-2",
    "SecurityGroupIds": "sg-1",
    "AlarmEmail": "on.call@austintexas.gov",
    "MonthlyDollars": "0",  # the emulator knows no budgets
}


def create_resources() -> dict[str, str]:
    """Create resources, and return the parameters that name them."""
    pool = clients.cognito().create_user_pool(PoolName=NAME)["UserPool"]["Id"]
    client = clients.cognito().create_user_pool_client(UserPoolId=pool, ClientName=NAME)["UserPoolClient"]
    clients.dynamodb().create_table(
        TableName=NAME,
        AttributeDefinitions=[{"AttributeName": "user_id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "user_id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    clients.s3().create_bucket(Bucket=NAME)
    secret = clients.secrets_manager().create_secret(Name=NAME, SecretString="{}")["ARN"]
    return {
        "ExistingUserPoolId": pool,
        "ExistingClientId": client["ClientId"],
        "ExistingDomainUrl": "https://sign-in.example",
        "ExistingClaimsTable": NAME,
        "ExistingUploadsBucket": NAME,
        "ExistingSecretArn": secret,
    }


@pytest.fixture(scope="module")
def existing(emulator: Emulator) -> Iterator[dict[str, str]]:
    """The parameters that name the existing resources, which a stack takes."""
    with clients_call(emulator.url):
        parameters = create_resources()
        stack_updates.create_or_update(STACK, TEMPLATE, {**REQUIRED, **parameters})
        yield parameters


@pytest.fixture(scope="module")
def outputs(existing: dict[str, str]) -> dict[str, str]:
    return stack_updates.outputs(STACK)


class TestExistingResources:
    def test_are_named_to_the_function(self, outputs: dict[str, str], existing: dict[str, str]) -> None:
        names = ("UserPoolId", "ClientId", "DomainUrl", "ClaimsTable", "UploadsBucket", "ConfigurationSecret")

        assert [outputs[name] for name in names] == list(existing.values())

    def test_are_not_created_a_second_time(self, outputs: dict[str, str]) -> None:
        created = clients.cloudformation().list_stack_resources(StackName=STACK)
        types = {each["ResourceType"] for each in created["StackResourceSummaries"]}

        assert "AWS::S3::Bucket" in types  # for deployments
        assert not [kind for kind in types if kind.startswith(("AWS::Cognito", "AWS::DynamoDB"))]

    def test_are_all_that_the_role_reaches(self, outputs: dict[str, str], existing: dict[str, str]) -> None:
        statements = policy_of(outputs["FunctionRoleArn"], "api")["Statement"]
        reached: dict[str, Any] = {each["Sid"]: each["Resource"] for each in statements}

        pool = clients.cognito().describe_user_pool(UserPoolId=existing["ExistingUserPoolId"])["UserPool"]
        table = clients.dynamodb().describe_table(TableName=NAME)["Table"]
        assert reached["Accounts"] == pool["Arn"]
        assert reached["Claims"] == table["TableArn"]
        assert (reached["Files"], reached["Bucket"]) == (f"arn:aws:s3:::{NAME}/*", f"arn:aws:s3:::{NAME}")
        assert reached["Configuration"] == existing["ExistingSecretArn"]

    def test_are_reached_through_the_network_that_is_given(self, outputs: dict[str, str]) -> None:
        assert policy_of(outputs["FunctionRoleArn"], "networks")["Statement"][1]["Effect"] == "Deny"
        assert outputs["SubnetIds"] == "subnet-1,subnet-2"
