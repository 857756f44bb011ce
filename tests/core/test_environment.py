import os
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from moped_api.environment import Environment
from tests.support.processes import run_python

REQUIRED = {
    "MOPED_API_CURRENT_ENVIRONMENT",
    "AWS_DEFAULT_REGION",
    "COGNITO_USERPOOL_ID",
    "COGNITO_APP_CLIENT_ID",
    "COGNITO_DYNAMO_TABLE_NAME",
    "MOPED_API_CONFIGURATION_SETTINGS",
    "MOPED_API_UPLOADS_S3_BUCKET",
    "MOPED_API_ALLOWED_HOSTS",
}
READ_ONLY, SESSION = "'default_transaction_read_only=on'", "DATABASES['default']['OPTIONS']['options']"
LOOPBACK_ONLY = "X may only name a loopback address"
VALUES = dict.fromkeys(REQUIRED, "x") | {"DATABASE_URL": "postgresql:///x"}


def start(code: str = "import moped_api.settings", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process that has only these variables."""
    return run_python("-c", code, environment={"PATH": os.environ["PATH"], **variables})


def read_setting(expression: str, **variables: str) -> str:
    """Return a setting as a process sees it that has these variables and the required ones."""
    code = f"from moped_api.settings import *; print({expression})"
    return start(code, **(VALUES | variables)).stdout.strip()


class TestEnvironment:
    @pytest.mark.parametrize(
        ("value", "read", "result"),
        [
            (" x ", lambda env: env.text("X"), "x"),
            ("1, 2,,3", lambda env: env.items("X"), ("1", "2", "3")),
            ("7", lambda env: env.number("X", 0), 7),
            ("", lambda env: env.number("X", 5), 5),
            ("True", lambda env: env.flag("X", default=False), True),
            ("text", lambda env: env.choice("X", ("json", "text"), "json"), "text"),
            ("", lambda env: env.choice("X", ("json", "text"), "json"), "json"),
            ("archive/2019, /scans/", lambda env: env.folders("X"), ("archive/2019/", "scans/")),
            ("/previews/12", lambda env: env.prefix("X"), "previews/12/"),
            ("http://127.0.0.1:4566", lambda env: env.loopback_url("X"), "http://127.0.0.1:4566"),
            ("http://[::1]:9", lambda env: env.loopback_url("X"), "http://[::1]:9"),
            ("", lambda env: env.loopback_url("X"), ""),
        ],
    )
    def test_reads_typed_values(self, value: str, read: Callable[[Environment], Any], result: Any) -> None:
        env = Environment({"X": value})

        assert read(env) == result
        env.complete()

    @pytest.mark.parametrize(
        ("value", "read", "problem"),
        [
            ("", lambda env: env.text("X"), "X is missing"),
            ("many", lambda env: env.number("X", 1), "X must be a whole number, not 'many'"),
            ("maybe", lambda env: env.flag("X", default=True), "X must be true or false, not 'maybe'"),
            ("xml", lambda env: env.choice("X", ("json", "text"), "json"), "X must be json or text, not"),
            ("/", lambda env: env.folders("X"), "X may not name the whole bucket"),
            ("previews/pr_12", lambda env: env.prefix("X"), "X may not contain an underscore"),
            ("https://evil.example", lambda env: env.loopback_urls("X"), LOOPBACK_ONLY),
            ("http://127.0.0.1.evil.example", lambda env: env.loopback_url("X"), LOOPBACK_ONLY),
            ("http://127.0.0.1@evil.example", lambda env: env.loopback_url("X"), LOOPBACK_ONLY),
            ("evil", lambda env: env.loopback_url("X"), f"{LOOPBACK_ONLY}, not 'evil'"),
        ],
    )
    def test_names_the_problem(self, value: str, read: Callable[[Environment], Any], problem: str) -> None:
        env = Environment({"X": value, "OTHER": "http://127.0.0.1:1"})
        env.loopback_urls("OTHER")
        read(env)

        with pytest.raises(ImproperlyConfigured) as refusal:
            env.complete()
        (line,) = str(refusal.value).splitlines()[1:]
        assert problem in line


class TestSettings:
    def test_name_everything_that_is_missing(self) -> None:
        refusal = start()

        assert refusal.returncode != 0
        assert {name for name in REQUIRED if f"{name} is missing" in refusal.stderr} == REQUIRED

    @pytest.mark.parametrize("override", ["AWS_ENDPOINT_URL", "COGNITO_JWKS_URL"])
    def test_refuse_an_emulator_that_is_not_on_this_machine(self, override: str) -> None:
        refusal = start(**VALUES, **{override: "https://keys.example/jwks.json"})

        assert refusal.returncode != 0
        assert override in refusal.stderr

    @pytest.mark.parametrize(
        ("expression", "variables", "value"),
        [
            ("CORS_ALLOW_HEADERS[3:]", {}, "['x-request-id']"),
            ("CORS_ALLOW_HEADERS", {"MOPED_API_CORS_HEADERS": "a, b"}, "['a', 'b']"),
            (f"{READ_ONLY} in {SESSION}", {"MOPED_API_READ_ONLY": "true"}, "True"),
            (f"{READ_ONLY} in {SESSION}", {}, "False"),
            ("SECURE_HSTS_SECONDS", {"MOPED_API_SECURE_COOKIES": "false"}, "0"),  # a laptop has no https
        ],
    )
    def test_follow_their_variables(self, expression: str, variables: dict[str, str], value: str) -> None:
        assert read_setting(expression, **variables) == value
