"""The template as it is written."""

import re
from pathlib import Path
from typing import Any

import pytest

from apps.deployment.aws import stack_updates
from apps.deployment.paths import INFRASTRUCTURE, TEMPLATE
from apps.deployment.settings import zappa_settings
from tests.deployment.template import listed, parameters, read, resources, statements

REQUIRED: dict[str, Any] = read(Path(__file__).with_name("required.yaml"))
SHORTEST_REASON = 20
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

    def test_gives_a_reason_for_each_rule_that_checkov_skips(self) -> None:
        metadata = [
            each["Metadata"]["checkov"]["skip"] for each in resources().values() if "Metadata" in each
        ]

        assert metadata
        assert all(len(each["comment"]) > SHORTEST_REASON for skip in metadata for each in skip)


class TestRoles:
    """test_role.py shows which calls those of the functions allow."""

    @pytest.mark.parametrize("role", ["FunctionRole", "ReconciliationRole", "ScheduleRole", "DeploymentRole"])
    def test_have_no_right_over_everything(self, role: str) -> None:
        for statement in statements(role):
            assert "*" not in listed(statement["Resource"]), statement["Sid"]
            assert not [action for action in listed(statement["Action"]) if "*" in action], statement["Sid"]

    @pytest.mark.parametrize("role", [n for n, r in resources().items() if r["Type"] == "AWS::IAM::Role"])
    def test_are_assumed_in_one_way(self, role: str) -> None:
        assert len(resources()[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]) == 1

    @pytest.mark.parametrize(
        ("role", "action", "sids"),
        [
            ("DeploymentRole", "iam:PassRole", ["Role"]),
            ("DeploymentRole", "apigateway:", ["NewGateway", "TagsOfNewGateway", "Gateway"]),
            ("PreviewDeploymentRole", "iam:PassRole", ["Role"]),
        ],
    )
    def test_of_deployments_have_a_right_in_these_statements_only(
        self, role: str, action: str, sids: list[str]
    ) -> None:
        with_right = [each["Sid"] for each in statements(role) if action in str(each["Action"])]

        assert with_right == sids


def is_part(expected: Any, actual: Any) -> bool:
    """Return whether all that is expected is there. Members of a list may be anywhere in it."""
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(
            is_part(value, actual.get(name)) for name, value in expected.items()
        )
    if isinstance(expected, list) and isinstance(expected[0], dict):
        return all(any(is_part(each, member) for member in actual) for each in expected)
    return bool(expected == actual)


class TestProperties:
    @pytest.mark.parametrize("name", REQUIRED)
    def test_are_as_aws_or_security_needs_them(self, name: str) -> None:
        resource = resources()[name]

        assert is_part(REQUIRED[name], resource | resource["Properties"])


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
