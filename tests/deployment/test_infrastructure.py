"""The template as it is written, and the calls of the code that its roles must allow."""

import json
import re

import boto3
import pytest
from botocore import xform_name

from apps.deployment import account_setup
from apps.deployment.aws import stack_updates
from apps.deployment.paths import INFRASTRUCTURE, PROJECT, TEMPLATE
from moped_api import lambda_events
from tests.deployment.template import listed, parameters, resources, statements

SERVING = ("auth", "claims", "core", "files", "health", "users")
# Calls that have another name than the right that they need.
RIGHTS = {"s3:ListObjectsV2": "s3:ListBucket"}
# Signing a form is no call, but posting it needs this right of ours.
BY_SIGNATURE = {"post_policy_signer": "s3:PutObject"}
# A method that is called, and its first argument, which may name what is signed or paged through.
# Functions of our selectors have names of calls too.
CALL = re.compile(r'(?<!selectors)\.(\w+)\((?:\s*"(\w+)")?')
# What only reconcile_users calls.
OF_RECONCILIATION = {"cognito-idp:DescribeUserPool", "dynamodb:Scan"}
# Not for the code: the gateway invokes the function with this role, and Lambda writes logs.
NOT_OF_THE_CODE = {"Gateway", "Logs"}
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


def used() -> set[str]:
    """Return the rights of the calls in the code of the serving apps, by the names that boto3 gives them."""
    folders = (PROJECT / "apps" / app for app in SERVING)
    modules = (path for folder in folders for path in folder.rglob("*.py") if "blueprint" not in path.parts)
    words = {word for path in modules for groups in CALL.findall(path.read_text()) for word in groups}
    rights = {BY_SIGNATURE[word] for word in words & BY_SIGNATURE.keys()}
    for service in ("cognito-idp", "dynamodb", "s3", "secretsmanager"):
        model = boto3.Session().client(service, region_name="us-east-1").meta.service_model
        names = {f"{service}:{name}" for name in model.operation_names if xform_name(name) in words}
        rights |= {RIGHTS.get(name, name) for name in names}
    return rights


def allowed(role: str) -> set[str]:
    """Return what a role allows the code of its function."""
    return {
        action
        for statement in statements(role)
        if statement["Sid"] not in NOT_OF_THE_CODE
        for action in listed(statement["Action"])
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
        file = account_setup.read_parameters(INFRASTRUCTURE / f"{stage}.json")

        assert file["Stage"] == stage
        assert file.keys() <= parameters().keys()
        for name, value in file.items():
            assert re.fullmatch(parameters()[name].get("AllowedPattern", ".*"), value), name

    def test_describes_every_parameter(self) -> None:
        assert [name for name, each in parameters().items() if not each.get("Description")] == []
        assert [name for name, each in parameters().items() if "Default" not in each] == ["Stage"]


class TestFunctionRole:
    def test_may_do_what_the_code_calls_and_nothing_else(self) -> None:
        assert allowed("FunctionRole") == used() - OF_RECONCILIATION

    @pytest.mark.parametrize("role", ["FunctionRole", "ReconciliationRole", "ScheduleRole", "DeploymentRole"])
    def test_has_no_right_over_everything(self, role: str) -> None:
        for statement in statements(role):
            assert "*" not in listed(statement["Resource"]), statement["Sid"]
            assert not [action for action in listed(statement["Action"]) if "*" in action], statement["Sid"]

    def test_writes_logs_of_its_own_functions_only(self) -> None:
        (logs,) = [each for each in statements("FunctionRole") if each["Sid"] == "Logs"]

        assert logs["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
        assert "log-group:/aws/lambda/moped-api-" in logs["Resource"]

    def test_reads_the_databases_secret_and_no_other_of_its_kind(self) -> None:
        policy = resources()["DatabaseCredentials"]

        assert policy["Condition"] == "HasDatabaseSecret"
        assert policy["Properties"]["Roles"] == ["FunctionRole", "ReconciliationRole"]
        (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
        assert statement["Action"] == "secretsmanager:GetSecretValue"
        assert statement["Resource"] == "DatabaseSecretArn"

    def test_lets_the_gateway_call_what_is_live_and_nothing_else(self) -> None:
        (gateway,) = [each for each in statements("FunctionRole") if each["Sid"] == "Gateway"]

        assert gateway["Action"] == "lambda:InvokeFunction"
        assert gateway["Resource"].endswith(":function:moped-api-${Stage}:live")

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
    def test_may_do_what_no_request_needs(self) -> None:
        assert allowed("ReconciliationRole") >= OF_RECONCILIATION
        assert allowed("ReconciliationRole") <= used()

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

    def test_writes_logs_of_its_own(self) -> None:
        (logs,) = [each for each in statements("ReconciliationRole") if each["Sid"] == "Logs"]

        name = resources()["ReconciliationLog"]["Properties"]["LogGroupName"]
        assert logs["Resource"].endswith(f":log-group:{name}:*")


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

    def test_is_encrypted_protected_and_not_kept_for_ever(self) -> None:
        """Checkov asks for backups of the table and for buckets that are not public."""
        table = resources()["ClaimsTable"]["Properties"]
        buckets = [r["Properties"] for r in resources().values() if r["Type"] == "AWS::S3::Bucket"]

        assert (table["SSESpecification"]["SSEEnabled"], table["DeletionProtectionEnabled"]) == (True, True)
        for bucket in buckets:
            assert bucket["BucketEncryption"]
            assert {rule["Status"] for rule in bucket["LifecycleConfiguration"]["Rules"]} == {"Enabled"}


class TestAlarms:
    def test_can_be_published_by_cloudwatch(self) -> None:
        assert "KmsMasterKeyId" not in resources()["Alarms"]["Properties"]

    def test_ignore_a_percentile_of_few_requests(self) -> None:
        assert resources()["ApiIsSlow"]["Properties"]["EvaluateLowSampleCountPercentile"] == "ignore"

    def test_of_the_budget_warn_of_actual_and_forecast_cost(self) -> None:
        budget = resources()["Budget"]["Properties"]

        kinds = [each["Notification"]["NotificationType"] for each in budget["NotificationsWithSubscribers"]]
        assert kinds == ["ACTUAL", "FORECASTED"]
        assert budget["Budget"]["CostFilters"] == {"TagKeyValue": ["user:stage$${Stage}"]}


class TestUserPool:
    def test_lets_people_write_what_single_sign_on_needs(self) -> None:
        client = resources()["UserPoolClient"]["Properties"]

        first, *names = client["WriteAttributes"]
        assert first == ["HasSingleSignOn", "email", "AWS::NoValue"]
        assert names == ["family_name", "given_name", "name"]

    def test_allows_no_self_registration(self) -> None:
        pool = resources()["UserPool"]["Properties"]

        assert pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True
