"""The template as it is written."""

import json
import re
from typing import Any

import pytest

from apps.deployment.aws import stack_updates
from apps.deployment.paths import INFRASTRUCTURE, TEMPLATE
from apps.deployment.settings import zappa_settings
from moped_api import lambda_events
from tests.deployment.template import listed, parameters, resources, statements

WRITE_LOGS = ["logs:CreateLogStream", "logs:PutLogEvents"]
SINGLE_SIGN_ON_WRITES = [["HasSingleSignOn", "email", "AWS::NoValue"], "family_name", "given_name", "name"]
# Their deletion protection would stop a rollback. They have no name that could be taken.
PROTECTED = {"UserPool", "ClaimsTable"}
STATEFUL = {
    "AWS::Cognito::UserPool",
    "AWS::Cognito::UserPoolClient",
    "AWS::Cognito::UserPoolDomain",
    "AWS::DynamoDB::Table",
    "AWS::S3::Bucket",
    "AWS::SecretsManager::Secret",
}


class TestTemplate:
    def test_fits_into_one_call(self) -> None:
        assert len(stack_updates.body(TEMPLATE)) <= stack_updates.MAX_BODY_BYTES

    @pytest.mark.parametrize(
        ("parameter", "value", "is_accepted"),
        [
            ("GitHubRepository", "", True),
            ("GitHubRepository", "cityofaustin/moped-api", True),
            ("GitHubRepository", "cityofaustin@14157087/moped-api@912345678", True),
            ("GitHubRepository", "cityofaustin", False),
            ("GitHubRepository", "cityofaustin/*", False),
            ("GitHubRepository", "cityofaustin/moped-api:ref:refs/heads/main", False),
            ("GitHubRepository", "https://github.com/cityofaustin/moped-api", False),
            ("DatabaseUrl", "postgresql://moped@db.example:5432/moped?sslmode=verify-full", True),
            ("DatabaseUrl", "postgresql://moped:secret@db.example/moped", False),
        ],
    )
    def test_accepts_no_wildcard_and_no_password(
        self, parameter: str, value: str, *, is_accepted: bool
    ) -> None:
        assert bool(re.fullmatch(parameters()[parameter]["AllowedPattern"], value)) is is_accepted

    @pytest.mark.parametrize("stage", ["staging", "production"])
    def test_has_every_parameter_of_a_stages_file(self, stage: str) -> None:
        file = zappa_settings.read_json(INFRASTRUCTURE / f"{stage}.json", dict[str, str])

        assert file["Stage"] == stage
        assert file.keys() <= parameters().keys()
        for name, value in file.items():
            assert re.fullmatch(parameters()[name].get("AllowedPattern", ".*"), value), name

    def test_describes_every_parameter(self) -> None:
        assert [name for name, each in parameters().items() if not each.get("Description")] == []
        assert [name for name, each in parameters().items() if "Default" not in each] == ["Stage"]


class TestFunctionRole:
    """test_role.py shows which calls it allows."""

    @pytest.mark.parametrize("role", ["FunctionRole", "ReconciliationRole", "ScheduleRole", "DeploymentRole"])
    def test_has_no_right_over_everything(self, role: str) -> None:
        for statement in statements(role):
            assert "*" not in listed(statement["Resource"]), statement["Sid"]
            assert not [action for action in listed(statement["Action"]) if "*" in action], statement["Sid"]

    @pytest.mark.parametrize(
        ("role", "sid", "actions", "resource"),
        [
            ("FunctionRole", "Logs", WRITE_LOGS, ":log-group:/aws/lambda/moped-api-${Stage}:*"),
            ("FunctionRole", "Gateway", ["lambda:InvokeFunction"], ":function:moped-api-${Stage}:live"),
            ("ReconciliationRole", "Logs", WRITE_LOGS, ":log-group:/aws/lambda/moped-reconcile-${Stage}:*"),
        ],
    )
    def test_reaches_its_own_log_and_the_live_function(
        self, role: str, sid: str, actions: list[str], resource: str
    ) -> None:
        (statement,) = [each for each in statements(role) if each["Sid"] == sid]

        assert listed(statement["Action"]) == actions
        assert statement["Resource"].endswith(resource)

    def test_reads_the_databases_secret_and_no_other_of_its_kind(self) -> None:
        policy = resources()["DatabaseCredentials"]

        assert policy["Condition"] == "HasDatabaseSecret"
        assert policy["Properties"]["Roles"] == ["FunctionRole", "ReconciliationRole"]
        (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
        assert statement["Action"] == "secretsmanager:GetSecretValue"
        assert statement["Resource"] == "DatabaseSecretArn"

    def test_puts_the_function_into_a_network_it_cannot_change(self) -> None:
        network = resources()["Network"]
        allow, deny = network["Properties"]["PolicyDocument"]["Statement"]

        assert network["Condition"] == "HasNetwork"
        assert set(allow["Action"]) == {  # AWSLambdaVPCAccessExecutionRole, without its logs
            "ec2:AssignPrivateIpAddresses",
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:UnassignPrivateIpAddresses",
        }
        assert (deny["Effect"], deny["Action"], deny["Resource"]) == ("Deny", "ec2:*", "*")
        functions = deny["Condition"]["ArnLike"]["lambda:SourceFunctionArn"]
        names = ["moped-api-${Stage}", "moped-reconcile-${Stage}", "moped-api-pr-*"]
        assert [arn.rpartition(":")[2] for arn in functions] == names


class TestReconciliation:
    def test_is_scheduled_every_night_and_only_reports(self) -> None:
        schedule = resources()["NightlyReconciliation"]["Properties"]

        assert schedule["ScheduleExpression"] == "cron(0 3 * * ? *)"
        event = json.loads(schedule["Target"]["Input"])
        assert lambda_events.command(event) == ["reconcile_users", "--json"]

    def test_is_called_by_the_schedule_alone(self) -> None:
        schedule = resources()["NightlyReconciliation"]["Properties"]["Target"]
        (call,) = statements("ScheduleRole")
        (trust,) = resources()["ScheduleRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]

        assert (call["Action"], call["Resource"]) == ("lambda:InvokeFunction", schedule["Arn"])
        assert schedule["RoleArn"] == "ScheduleRole.Arn"
        assert schedule["Arn"].endswith(":function:moped-reconcile-${Stage}:live")
        assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
        assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": "AWS::AccountId"}}


class TestDeploymentRole:
    def test_hands_over_two_roles_and_only_to_lambda_and_the_gateway(self) -> None:
        (passing,) = [
            each for each in statements("DeploymentRole") if "iam:PassRole" in listed(each["Action"])
        ]

        assert passing["Resource"] == ["FunctionRole.Arn", "ReconciliationRole.Arn"]
        services = passing["Condition"]["StringEqualsIfExists"]["iam:PassedToService"]
        assert services == ["lambda.amazonaws.com", "apigateway.amazonaws.com"]

    def test_changes_the_api_of_its_own_stage_alone(self) -> None:
        paths = {
            each["Resource"].partition("::/")[2]: each.get("Condition")
            for each in statements("DeploymentRole")
            if any(action.startswith("apigateway:") for action in listed(each["Action"]))
        }

        own = {"StringEquals": {"aws:ResourceTag/ZappaProject": "moped-api-${Stage}"}}
        assert paths.pop("restapis/*") == own
        assert set(paths) == {
            "restapis",
            "tags/arn%3A${AWS::Partition}%3Aapigateway%3A${AWS::Region}%3A%3A%2Frestapis%2F*",
        }

    def test_is_assumed_by_one_environment_of_one_repository(self) -> None:
        (trust,) = resources()["DeploymentRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]

        subject = trust["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"]
        assert subject == "repo:${GitHubRepository}:environment:${Stage}"


# No caller outside of the deployment has their values.
REPLACEABLE = {"PreviewClient", "SmokeSecret"}


class TestData:
    @pytest.mark.parametrize(
        "name", [n for n, r in resources().items() if r["Type"] in STATEFUL and n not in REPLACEABLE]
    )
    def test_outlives_its_stack_but_not_a_failed_creation(self, name: str) -> None:
        policy = "Retain" if name in PROTECTED else "RetainExceptOnCreate"

        assert resources()[name]["DeletionPolicy"] == policy
        assert resources()[name]["UpdateReplacePolicy"] == "Retain"

    @pytest.mark.parametrize("name", [n for n, r in resources().items() if r["Type"] == "AWS::S3::Bucket"])
    def test_in_buckets_is_reached_over_tls_only(self, name: str) -> None:
        policy = resources()[f"{name}Policy"]
        (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]

        assert policy.get("Condition") == resources()[name].get("Condition")
        assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
        assert statement["Resource"] == [f"{name}.Arn", f"${{{name}.Arn}}/*"]
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}

    @pytest.mark.parametrize("bucket", [r for r in resources().values() if r["Type"] == "AWS::S3::Bucket"])
    def test_in_buckets_is_encrypted_and_not_kept_for_ever(self, bucket: dict[str, Any]) -> None:
        """Checkov asks for buckets that are not public."""
        rules = bucket["Properties"]["LifecycleConfiguration"]["Rules"]

        assert bucket["Properties"]["BucketEncryption"]
        assert {rule["Status"] for rule in rules} == {"Enabled"}


class TestProperties:
    @pytest.mark.parametrize(
        ("resource", "name", "value"),
        [
            ("Alarms", "KmsMasterKeyId", None),  # CloudWatch may not use the key of SNS
            ("ApiIsSlow", "EvaluateLowSampleCountPercentile", "ignore"),
            ("ClaimsTable", "DeletionProtectionEnabled", True),
            ("ClaimsTable", "SSESpecification", {"SSEEnabled": True}),
            ("UserPool", "AdminCreateUserConfig", {"AllowAdminCreateUserOnly": True}),
            ("UserPoolClient", "WriteAttributes", SINGLE_SIGN_ON_WRITES),
        ],
    )
    def test_are_as_aws_needs_them(self, resource: str, name: str, value: object) -> None:
        assert resources()[resource]["Properties"].get(name) == value

    def test_of_the_budget_warn_of_actual_and_forecast_cost(self) -> None:
        budget = resources()["Budget"]["Properties"]

        kinds = [each["Notification"]["NotificationType"] for each in budget["NotificationsWithSubscribers"]]
        assert kinds == ["ACTUAL", "FORECASTED"]
        assert budget["Budget"]["CostFilters"] == {"TagKeyValue": ["user:stage$${Stage}"]}
