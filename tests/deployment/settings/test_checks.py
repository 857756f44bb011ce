"""Every rule for stages and settings is broken once, and the issue is reported."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import CommandError, SystemCheckError

from apps.deployment.errors import StageError
from apps.deployment.settings import checks, zappa_settings

VARIABLES = "aws_environment_variables"


def ids(issues: Any) -> set[str]:
    return {issue.id.removeprefix("moped.") for issue in issues}


@pytest.fixture
def staging() -> zappa_settings.Settings:
    return zappa_settings.flatten(zappa_settings.read(), "staging")


class TestOurStages:
    @pytest.mark.parametrize(
        ("stage", "host"),
        [
            ("staging", "moped-user-file-api-staging.austinmobility.io"),
            ("production", "moped-user-file-api.austinmobility.io"),
        ],
    )
    def test_have_the_host_that_the_editor_calls(self, stage: str, host: str) -> None:
        assert host in zappa_settings.hosts(zappa_settings.flatten(zappa_settings.read(), stage))

    def test_are_in_no_issue(self) -> None:
        assert not run_checks(tags=[checks.TAG], include_deployment_checks=True)

    def test_are_examined_by_check_deploy(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        document = zappa_settings.read()
        document["base"]["debug"] = True
        (tmp_path / "zappa_settings.json").write_text(json.dumps(document))
        monkeypatch.setattr(zappa_settings.read, "__defaults__", (tmp_path / "zappa_settings.json",))

        with pytest.raises(SystemCheckError, match=r"(?s)staging: debug is on .*Write: \"debug\": false"):
            call_command("check", "--deploy", "--tag", checks.TAG)


class TestStage:
    @pytest.mark.parametrize(
        ("change", "issue"),
        [
            ({"debug": True}, "E001"),
            ({"log_level": "DEBUG"}, "E002"),
            ({"manage_roles": True}, "E003"),
            ({"extra_permissions": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}, "E003"),
            ({"attach_policy": "policy.json"}, "E003"),
            ({"apigateway_version": "v2", "authorizer": {"arn": "…"}}, "E004"),
            ({"iam_authorization": True}, "E004"),
            ({"cors": True}, "E005"),
            ({VARIABLES: {"HASURA_ADMIN_SECRET": "x"}}, "E006"),
            ({VARIABLES: {"DATABASE_URL": "postgresql://moped:pass@host/moped"}}, "E006"),
            ({"api_key": "abc"}, "E006"),
            ({"role_arn": "arn:aws:iam::123456789012:role/x"}, "E007"),
            ({"environment_variables": {"A": "b"}}, "E008"),
            ({"remote_env": "s3://bucket/file"}, "E008"),
            ({VARIABLES: {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}}, "E009"),
            ({VARIABLES: {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:4566"}}, "E009"),
            ({VARIABLES: {"COGNITO_JWKS_URL": "http://127.0.0.1:4566/keys"}}, "E009"),
            ({VARIABLES: {"MOPED_API_ALLOWED_HOSTS": "*"}}, "E010"),
            ({VARIABLES: {"MOPED_API_ALLOWED_HOSTS": ""}}, "E010"),
            ({VARIABLES: {"MOPED_API_CORS_ORIGINS": "*"}}, "E011"),
            ({VARIABLES: {"MOPED_API_CORS_ORIGIN_PATTERNS": "https://.*netlify.app"}}, "E011"),
            ({"timeout_seconds": 30}, "E012"),
            ({"apigateway_enabled": False}, "E013"),
            ({"moped": {"stack": "moped-another"}}, "E025"),
            ({"slim_handler": True}, "E015"),
            ({"lambda_handler": "handler.lambda_handler"}, "E016"),
            ({"apigateway_lambda_qualifier": None}, "E017"),
            ({"project_name": "moped"}, "E021"),
            ({"lambda_concurrency": None}, "E022"),
            ({"moped": {"requests_per_second": None}}, "E023"),
            ({VARIABLES: {"MOPED_API_LOG_LEVEL": "DEBUG"}}, "E032"),
            ({"domain": "other.example"}, "E024"),
            ({"moped": {"hosts": ["moped-user-file-api.example"]}}, "E024"),
        ],
        ids=lambda value: value if isinstance(value, str) else json.dumps(value)[:50],
    )
    def test_issue_is_found(
        self, change: zappa_settings.Settings, issue: str, staging: zappa_settings.Settings
    ) -> None:
        assert ids(checks.check_stage("staging", zappa_settings.merge(staging, change))) == {issue}

    def test_without_tags_is_found(self, staging: zappa_settings.Settings) -> None:
        assert ids(checks.check_stage("staging", staging | {"tags": {}})) == {"E014"}

    def test_every_rule_is_broken_once(self) -> None:
        parameters = next(mark for mark in TestStage.test_issue_is_found.pytestmark if mark.args)  # type: ignore[attr-defined]
        broken = {issue for _, issue in parameters.args[1]} | {"E014"}
        assert {rule["id"] for rule in checks.rules(checks.STAGE_SCHEMA)} <= broken


class TestFile:
    @pytest.mark.parametrize(
        ("change", "issue", "place"),
        [
            ({"base": {"domain": "moped-api.example"}}, "E018", "base"),
            ({"pr-1": {}}, "E019", "pr-1"),
            ({"Staging": {}}, "E019", "Staging"),
            ({"pr__1": {}}, "E019", "pr__1"),  # the same function as pr_1
        ],
    )
    def test_issue_is_found(self, change: dict[str, zappa_settings.Settings], issue: str, place: str) -> None:
        (error,) = checks.check_file(zappa_settings.merge(zappa_settings.read(), change))

        assert error.id == f"moped.{issue}"
        assert f"({place})" in error.msg


class TestZappaFile:
    def test_names_the_stages_there_are(self) -> None:
        with pytest.raises(StageError, match="it has preview, production, staging"):
            zappa_settings.flatten(zappa_settings.read(), "test")

    def test_that_is_missing_or_no_json_is_one_sentence(self, tmp_path: Path) -> None:
        with pytest.raises(StageError, match="cannot be read: No such file"):
            zappa_settings.read(tmp_path / "zappa_settings.json")
        (tmp_path / "zappa_settings.json").write_text("{")
        with pytest.raises(StageError, match="is not as it must be"):
            zappa_settings.read(tmp_path / "zappa_settings.json")

    def test_that_an_argument_names_is_refused_as_the_argument(self) -> None:
        with pytest.raises(CommandError, match="argument --overlay: /missing cannot be read: No such file"):
            call_command("stage", "status", "staging", "--overlay", "/missing")

    def test_that_goes_in_circles_is_refused(self) -> None:
        with pytest.raises(StageError, match="extends 'a'"):
            zappa_settings.flatten({"a": {"extends": "b"}, "b": {"extends": "a"}}, "a")
