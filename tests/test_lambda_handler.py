"""The handler in this process, before Zappa packs it; tests/deployment/test_runtime.py runs the package."""

import json
import logging
import os
import random
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any
from unittest.mock import Mock

import pytest
from django.core.management import CommandError
from django.core.management.base import BaseCommand
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.auth import current_roles
from apps.auth.tokens import key_cache
from apps.claims import triggers
from apps.core.aws import clients, secrets
from moped_api import lambda_events
from tests.conftest import Handler
from tests.support.lambda_events import (
    COMMANDS,
    MALFORMED,
    REFUSED,
    REFUSED_COMMANDS,
    REST,
    TRIGGERS,
    UNUSUAL,
    URL,
    rest_event,
    trigger_event,
    url_event,
)

pytestmark = pytest.mark.django_db  # a request checks the connection that an earlier test left open


@pytest.fixture(autouse=True)
def _allowed_host(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["api.example", ".amazonaws.com"]


def problem(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the error body of an answer, and see that it is one."""
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert answer["headers"]["X-Content-Type-Options"] == "nosniff"
    body = dict(json.loads(answer["body"]))
    assert body["status"] == answer["statusCode"]
    assert body["request_id"] == answer["headers"]["X-Request-ID"]
    assert body["code"]
    return body


class TestHttp:
    @pytest.mark.parametrize("event", [REST, URL], ids=["REST", "function URL"])
    def test_answers_a_request(
        self, handler: Handler, event: dict[str, Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        answer = handler(event)

        assert answer["statusCode"] == 200
        assert [vars(record)["client"] for record in caplog.records] == ["192.0.2.7"]
        assert answer["headers"]["X-Request-ID"] == "request-of-a-test"

    @pytest.mark.parametrize(("event", "member"), MALFORMED)
    def test_answers_a_malformed_event_with_400(
        self, handler: Handler, event: dict[str, Any], member: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        answer = handler(event)

        body = problem(answer)
        assert (answer["statusCode"], body["code"]) == (400, "bad_request")
        assert member in body["detail"]
        assert [record.message for record in caplog.records] == ["event_malformed"]

    @pytest.mark.parametrize("event", UNUSUAL)
    def test_answers_an_unusual_request(self, handler: Handler, event: dict[str, Any]) -> None:
        answer = handler(event)

        assert answer["statusCode"] < 500
        assert "\n" not in answer["headers"]["X-Request-ID"]
        if answer["statusCode"] >= 400:
            problem(answer)

    @pytest.mark.parametrize("event", [REST, URL], ids=["REST", "function URL"])
    def test_takes_nothing_but_the_request_from_an_event(
        self,
        lambda_handler: ModuleType,
        handler: Handler,
        event: dict[str, Any],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        application = Mock(return_value=[])
        monkeypatch.setattr(lambda_handler, "_application", application)
        context = {"authorizer": {"principalId": "root"}, "identity": {"userArn": "root"}}
        before = dict(os.environ)

        handler(
            event
            | {"requestContext": event["requestContext"] | context}
            | {"stageVariables": {"MOPED_TEST_VARIABLE": "set"}}
        )

        environ, _start_response = application.call_args.args
        assert not {"REMOTE_USER", "API_GATEWAY_AUTHORIZER"} & environ.keys()
        assert dict(os.environ) == before

    @pytest.mark.parametrize("event", [rest_event, url_event], ids=["REST", "function URL"])
    def test_adds_no_prefix_without_a_stage(
        self,
        lambda_handler: ModuleType,
        handler: Handler,
        event: Callable[..., dict[str, Any]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        application = Mock(return_value=[])
        monkeypatch.setattr(lambda_handler, "_application", application)

        handler(event("/None/x", "a.execute-api.example") | {"requestContext": {"http": {"method": "GET"}}})

        environ, _start_response = application.call_args.args
        assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("", "/None/x")

    @pytest.mark.parametrize("event", [rest_event, url_event], ids=["REST", "function URL"])
    def test_sets_each_cookie_once(self, handler: Handler, event: Callable[[str], dict[str, Any]]) -> None:
        answer = handler(event("/auth/sign-in") | {"cookies": ["__Host-moped_sign_in_x=1"]})

        cookies = [*answer.get("cookies", ()), *answer.get("multiValueHeaders", {}).get("Set-Cookie", ())]
        cookies += [value for name, value in answer["headers"].items() if name == "Set-Cookie"]
        assert len(cookies) == len(set(cookies)) == 1

    def test_answers_a_failure_outside_django_in_our_error_body(
        self,
        lambda_handler: ModuleType,
        handler: Handler,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        monkeypatch.setattr(lambda_handler, "_application", Mock(side_effect=RuntimeError("in WSGI")))

        answer = handler(REST)

        assert (answer["statusCode"], problem(answer)["code"]) == (500, "internal_error")
        assert "in WSGI" not in answer["body"]
        assert caplog.records[0].exc_info


class TestTrigger:
    @pytest.mark.parametrize("source", TRIGGERS)
    def test_reaches_the_users_app(
        self, handler: Handler, source: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(triggers, "handler", lambda event, _context: {**event, "response": "claims"})

        assert handler(trigger_event(source))["response"] == "claims"

    @pytest.mark.parametrize(
        ("changed", "member"),
        [
            ({"userName": None}, "userName"),
            ({"userName": 1}, "userName"),
            ({"request": None}, "request"),
            ({"request": {}}, "userAttributes"),
            ({"request": {"userAttributes": None}}, "userAttributes"),
        ],
    )
    def test_that_is_malformed_is_refused(
        self, handler: Handler, changed: dict[str, Any], member: str
    ) -> None:
        with pytest.raises(lambda_events.MalformedEventError, match=member):
            handler(trigger_event(TRIGGERS[0], **changed))


class TestRefused:
    @pytest.mark.parametrize("case", REFUSED)
    def test_is_every_other_kind_of_event(
        self, handler: Handler, case: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        with pytest.raises(lambda_events.RefusedEventError):
            handler(REFUSED[case])

        assert [(record.message, record.levelno) for record in caplog.records] == [
            ("event_refused", logging.WARNING)
        ]

    def test_is_logged_without_its_values(self, handler: Handler, caplog: pytest.LogCaptureFixture) -> None:
        with pytest.raises(lambda_events.RefusedEventError):
            handler({"raw_command": "a secret", "b" * 100_000: "another"})

        (record,) = caplog.records
        assert vars(record)["members"] == ["b" * 64, "raw_command"]
        assert "secret" not in str(vars(record))


class TestManage:
    @pytest.fixture
    def call_command(self, monkeypatch: pytest.MonkeyPatch) -> Mock:
        command = Mock()
        monkeypatch.setattr("django.core.management.call_command", command)
        return command

    @pytest.mark.parametrize("command", COMMANDS)
    def test_runs_the_commands_of_the_list(self, handler: Handler, command: str, call_command: Mock) -> None:
        handler({"manage": command})

        assert call_command.call_args.args == tuple(command.split())

    @pytest.mark.parametrize("command", REFUSED_COMMANDS, ids=repr)
    def test_refuses_other_commands_and_arguments(
        self, handler: Handler, command: Any, call_command: Mock, caplog: pytest.LogCaptureFixture
    ) -> None:
        with pytest.raises(lambda_events.RefusedEventError):
            handler({"manage": command})

        assert not call_command.called
        assert [record.message for record in caplog.records] == ["event_refused"]

    @pytest.mark.parametrize(("code", "expected"), [(None, 0), (0, 0), (3, 3), ("text", 1)])
    def test_returns_the_output_and_the_exit_code(
        self, handler: Handler, code: Any, expected: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def leave(command: BaseCommand, *_args: Any, **_options: Any) -> None:
            command.stdout.write("a finding")
            sys.exit(code)

        monkeypatch.setattr("django.core.management.commands.check.Command.handle", leave)

        assert handler({"manage": "check"}) == {"exit_code": expected, "output": "a finding\n"}

    def test_reports_a_command_that_fails(self, handler: Handler, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            "django.core.management.commands.check.Command.handle", Mock(side_effect=CommandError("no table"))
        )

        with pytest.raises(CommandError, match="no table"):
            handler({"manage": "check"})


class TestRestore:
    """SnapStart resumes many copies of one snapshot, much later."""

    @pytest.fixture(autouse=True)
    def _new_clients(self) -> Iterator[None]:
        yield
        clients.forget_clients()

    def test_shares_nothing_that_was_open_cached_or_random(
        self,
        lambda_handler: ModuleType,
        transactional_db: None,
        settings: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        connection.ensure_connection()
        secret_key, numbers, client = settings.SECRET_KEY, random.getstate(), clients.dynamodb()
        for cache in caches():
            cache._store("key", "a value of the snapshot")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-the-restored-copy")

        lambda_handler._after_restore()

        assert connection.connection is None
        assert secret_key != settings.SECRET_KEY
        assert random.getstate() != numbers
        assert [cache.peek("key") for cache in caches()] == [None, None, None]
        renewed: Any = clients.dynamodb()
        assert renewed is not client
        assert renewed._request_signer._credentials.access_key == "of-the-restored-copy"

    def test_is_registered_with_lambdas_runtime(
        self, lambda_handler: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        runtime = Mock()
        monkeypatch.setitem(sys.modules, "snapshot_restore_py", runtime)

        lambda_handler._register_restore()

        runtime.register_after_restore.assert_called_once_with(lambda_handler._after_restore)


def caches() -> list[Any]:
    return [key_cache._cache, current_roles._cache, secrets._cache("configuration")]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(), max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=6), inner, max_size=2),
    max_leaves=6,
)
MEMBERS = sorted({*REST, *URL, "stageVariables", "cookies", "type", "manage"})
PARTS = ("requestId", "identity", "http", "stage", "elb", "authorizer")


class TestEveryEvent:
    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        event=st.sampled_from([REST, URL]),
        changed=st.dictionaries(st.sampled_from(MEMBERS), JSON, max_size=2),
        context=st.dictionaries(st.sampled_from(PARTS), JSON, max_size=1),
    )
    def test_is_answered_or_refused(
        self, handler: Handler, event: dict[str, Any], changed: dict[str, Any], context: dict[str, Any]
    ) -> None:
        changed_context = {"requestContext": {**event["requestContext"], **context}}
        try:
            answer = handler({**event, **changed_context, **changed})
        except lambda_events.RefusedEventError:
            return

        assert answer["statusCode"] < 500
        if answer["statusCode"] >= 400:
            problem(answer)
