"""The package in Lambda's own runtime client."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from apps.stages.errors import StageError

if TYPE_CHECKING:
    from tests.stages.conftest import Starter

pytestmark = pytest.mark.slow(cost=30)

CONTEXT = {"stage": "staging", "requestId": "request-of-a-test", "identity": {"sourceIp": "192.0.2.7"}}


def rest_event(path: str = "/", host: str = "api.example", **headers: str) -> dict[str, Any]:
    every = {"Host": host, **headers}
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": "GET",
        "headers": every,
        "multiValueHeaders": {name: [value] for name, value in every.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": CONTEXT,
        "body": None,
        "isBase64Encoded": False,
    }


def url_event(path: str = "/", host: str = "api.example") -> dict[str, Any]:
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": host},
        "requestContext": {
            "requestId": "request-of-a-test",
            "http": {"method": "GET", "path": path, "sourceIp": "192.0.2.7"},
        },
        "isBase64Encoded": False,
    }


class TestFunction:
    @pytest.mark.parametrize("event", [rest_event(), url_event()], ids=["REST", "function URL"])
    def test_answers(self, event: dict[str, Any], start: Starter) -> None:
        answer = start().invoke(event).result

        assert answer["statusCode"] == 200
        assert json.loads(answer["body"])["message"].startswith("MOPED API Available")

    def test_sends_failures_as_text_with_the_gateways_request_id(self, start: Starter) -> None:
        answer = start().invoke(rest_event("/auth/current_user")).result

        assert answer["statusCode"] == 401
        assert json.loads(answer["body"])["request_id"] == "request-of-a-test"

    def test_logs_the_address_that_cannot_be_forged(self, start: Starter) -> None:
        function = start()
        function.invoke(rest_event("/", **{"X-Forwarded-For": "203.0.113.1, 203.0.113.2"}))

        assert '"client":"192.0.2.7"' in function.log()
        assert "203.0.113" not in function.log()

    def test_answers_what_needs_no_database_while_there_is_none(self, start: Starter) -> None:
        function = start(DATABASE_URL="postgresql://nobody@127.0.0.1:9/nothing")

        assert function.invoke(rest_event("/auth/")).result["statusCode"] == 200

    @pytest.mark.parametrize("kind", ["raw_command", "command"])
    def test_runs_no_code_of_its_caller(self, kind: str, start: Starter) -> None:
        function = start()

        error = function.invoke({kind: "print('mine')"}).error

        assert error["errorType"] == "RefusedEventError"
        assert function.invoke(rest_event()).result["statusCode"] == 200

    def test_runs_management_commands(self, start: Starter) -> None:
        assert start().invoke({"manage": "check"}).result == {}

    def test_hands_cognitos_triggers_to_the_users_app(self, start: Starter) -> None:
        event = {"triggerSource": "TokenGeneration_Authentication", "version": "1", "userName": "nobody"}

        outcome = start().invoke(event)

        assert "apps/users/triggers.py" in json.dumps(outcome.error)

    def test_refuses_to_start_without_a_variable_and_names_it(self, start: Starter) -> None:
        outcome = start(COGNITO_USERPOOL_ID=None).invoke(rest_event())

        assert outcome.error["errorType"] == "ImproperlyConfigured"
        assert "COGNITO_USERPOOL_ID is missing" in outcome.error["errorMessage"]

    @pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "COGNITO_JWKS_URL"])
    def test_refuses_to_start_with_an_override_that_leaves_the_machine(
        self, name: str, start: Starter
    ) -> None:
        outcome = start(**{name: "https://keys.example"}).invoke(rest_event())

        assert f"{name} may only name a loopback address" in outcome.error["errorMessage"]

    def test_that_ends_by_itself_is_reported_with_what_it_said(self, start: Starter) -> None:
        function = start(COGNITO_USERPOOL_ID=None)
        function.invoke(rest_event())

        with pytest.raises(StageError, match="ended by itself"):
            function.invoke(rest_event())
