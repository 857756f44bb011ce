"""The package in Lambda's own runtime client."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.deployment.errors import StageError
from tests.deployment.conftest import VARIABLES
from tests.support import lambda_runtime
from tests.support.lambda_events import TRIGGERS, rest_event, trigger_event, url_event

pytestmark = pytest.mark.slow(cost=5)


@pytest.fixture(scope="module")
def function(task: Path, lambda_python: Path) -> Iterator[lambda_runtime.Function]:
    """The running function."""
    with lambda_runtime.Function(lambda_python, task, VARIABLES) as function:
        yield function


class TestFunction:
    @pytest.mark.parametrize("event", [rest_event(), url_event()], ids=["REST", "function URL"])
    def test_answers(self, event: dict[str, Any], function: lambda_runtime.Function) -> None:
        answer = function.invoke(event).result

        assert answer["statusCode"] == 200
        assert json.loads(answer["body"])["message"].startswith("MOPED API Available")

    def test_logs_the_address_that_cannot_be_forged(self, function: lambda_runtime.Function) -> None:
        function.invoke(rest_event("/", **{"X-Forwarded-For": "203.0.113.1, 203.0.113.2"}))

        assert '"client":"192.0.2.7"' in function.log()
        assert "203.0.113" not in function.log()

    def test_goes_on_after_an_event_that_it_refuses(self, function: lambda_runtime.Function) -> None:
        assert function.invoke({"raw_command": "print(1)"}).error["errorType"] == "RefusedEventError"
        assert function.invoke(rest_event()).result["statusCode"] == 200

    def test_runs_management_commands(self, function: lambda_runtime.Function) -> None:
        result = function.invoke({"manage": "check"}).result

        assert result["exit_code"] == 0
        assert "no issues" in result["output"]

    def test_hands_cognitos_triggers_to_the_claims_app(self, function: lambda_runtime.Function) -> None:
        outcome = function.invoke(trigger_event(TRIGGERS[0]))

        assert "apps/claims/triggers.py" in json.dumps(outcome.error)

    def test_refuses_to_start_with_wrong_settings_and_names_them(
        self, task: Path, lambda_python: Path
    ) -> None:
        wrong = {"COGNITO_USERPOOL_ID": "", "AWS_ENDPOINT_URL_S3": "https://s3.example"}
        with lambda_runtime.Function(lambda_python, task, VARIABLES | wrong) as function:
            error = function.invoke(rest_event()).error

            assert error["errorType"] == "ImproperlyConfigured"
            assert "COGNITO_USERPOOL_ID is missing" in error["errorMessage"]
            assert "AWS_ENDPOINT_URL_S3 may only name a loopback address" in error["errorMessage"]
            with pytest.raises(StageError, match="ended by itself"):
                function.invoke(rest_event())
