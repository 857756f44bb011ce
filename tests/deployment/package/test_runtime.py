"""The package in Lambda's own runtime client."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from apps.deployment.errors import StageError
from tests.support.lambda_events import (
    MALFORMED,
    REFUSED,
    REFUSED_COMMANDS,
    TRIGGERS,
    UNUSUAL,
    rest_event,
    trigger_event,
    url_event,
)

if TYPE_CHECKING:
    from tests.deployment.conftest import Starter

pytestmark = pytest.mark.slow(cost=30)


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
        function = start(DATABASE_URL="postgresql://unknown@127.0.0.1:9/nothing")

        assert function.invoke(rest_event("/auth/")).result["statusCode"] == 200

    def test_refuses_every_event_that_is_not_on_its_list(
        self, start: Starter, subtests: pytest.Subtests
    ) -> None:
        function = start()
        commands = {f"command {command!r}": {"manage": command} for command in REFUSED_COMMANDS}

        for name, event in {**REFUSED, **commands}.items():
            with subtests.test(name):
                assert function.invoke(event).error["errorType"] == "RefusedEventError"
        assert function.invoke(rest_event()).result["statusCode"] == 200

    def test_survives_every_event_that_is_malformed_or_unusual(
        self, start: Starter, subtests: pytest.Subtests
    ) -> None:
        function = start()
        events = {name: event for name, (event, _member) in MALFORMED.items()} | UNUSUAL

        for name, event in events.items():
            with subtests.test(name):
                answer = function.invoke(event).result
                assert answer["statusCode"] < 500
                if answer["statusCode"] >= 400:
                    assert json.loads(answer["body"])["request_id"] == answer["headers"]["X-Request-ID"]

    def test_runs_management_commands(self, start: Starter) -> None:
        result = start().invoke({"manage": "check"}).result

        assert result["exit_code"] == 0
        assert "no issues" in result["output"]

    @pytest.mark.parametrize("source", TRIGGERS)
    def test_hands_cognitos_triggers_to_the_users_app(self, source: str, start: Starter) -> None:
        outcome = start().invoke(trigger_event(source))

        assert "apps/claims/triggers.py" in json.dumps(outcome.error)

    def test_refuses_to_start_without_a_variable_and_names_it(self, start: Starter) -> None:
        outcome = start(COGNITO_USERPOOL_ID=None).invoke(rest_event())

        assert outcome.error["errorType"] == "ImproperlyConfigured"
        assert "COGNITO_USERPOOL_ID is missing" in outcome.error["errorMessage"]

    @pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "COGNITO_JWKS_URL"])
    def test_refuses_an_override_that_leaves_the_machine(self, name: str, start: Starter) -> None:
        outcome = start(**{name: "https://keys.example"}).invoke(rest_event())

        assert f"{name} may only name a loopback address" in outcome.error["errorMessage"]

    def test_that_ends_by_itself_is_reported_with_what_it_said(self, start: Starter) -> None:
        function = start(COGNITO_USERPOOL_ID=None)
        function.invoke(rest_event())

        with pytest.raises(StageError, match="ended by itself"):
            function.invoke(rest_event())
