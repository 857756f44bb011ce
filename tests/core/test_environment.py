from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from moped_api.environment import Environment

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


VALUES = dict.fromkeys(REQUIRED, "x") | {"DATABASE_URL": "postgresql:///x"}


def start(**variables: str) -> subprocess.CompletedProcess[str]:
    """Import the settings in a process that has only these variables."""
    return subprocess.run(
        [sys.executable, "-c", "import moped_api.settings"],
        env={"PATH": os.environ["PATH"], **variables},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )


def read_setting(expression: str, **variables: str) -> str:
    """Return a setting as a process sees it that has these variables and the required ones."""
    return subprocess.run(
        [sys.executable, "-c", f"from moped_api.settings import *; print({expression})"],
        env={"PATH": os.environ["PATH"], **VALUES, **variables},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


class TestEnvironment:
    def test_reads_typed_values(self) -> None:
        env = Environment({"A": " x ", "B": "1, 2,,3", "C": "7", "D": "True"})

        assert (env.text("A"), env.items("B"), env.number("C", 0), env.flag("D", default=False)) == (
            "x",
            ("1", "2", "3"),
            7,
            True,
        )
        env.complete()

    def test_reads_folders_of_a_bucket(self) -> None:
        env = Environment({"OLDER": "archive/2019, /scans/"})

        assert env.folders("OLDER") == ("archive/2019/", "scans/")
        assert env.folders("NONE") == ()
        env.complete()

    def test_reads_the_folder_below_which_a_stage_keeps_its_files(self) -> None:
        env = Environment({"PREFIX": "/previews/12", "COUNTED": "previews/pr_12"})

        assert (env.prefix("PREFIX"), env.prefix("NONE")) == ("previews/12/", "")
        env.prefix("COUNTED")
        with pytest.raises(ImproperlyConfigured, match="COUNTED may not contain an underscore"):
            env.complete()

    @pytest.mark.parametrize("value", ["/", "archive,//"])
    def test_never_takes_a_whole_bucket_for_a_folder(self, value: str) -> None:
        env = Environment({"OLDER": value})
        env.folders("OLDER")

        with pytest.raises(ImproperlyConfigured, match="OLDER may not name the whole bucket"):
            env.complete()

    def test_names_the_choices_of_another_value(self) -> None:
        env = Environment({"FORMAT": "xml"})
        assert env.choice("OTHER", ("json", "text"), "json") == "json"
        assert env.choice("FORMAT", ("json", "text"), "json") == "json"
        with pytest.raises(ImproperlyConfigured, match="FORMAT must be one of json, text, not 'xml'"):
            env.complete()

    def test_names_every_problem_at_once(self) -> None:
        env = Environment({"COUNT": "many", "FLAG": "maybe", "URL": "http://example.com:4566"})
        env.text("NAME")
        env.number("COUNT", 1)
        env.flag("FLAG", default=True)
        env.loopback_url("URL")

        with pytest.raises(ImproperlyConfigured) as refusal:
            env.complete()

        assert [name for name in ("NAME", "COUNT", "FLAG", "URL") if name in str(refusal.value)] == [
            "NAME",
            "COUNT",
            "FLAG",
            "URL",
        ]

    def test_names_a_number_or_flag_that_is_missing(self) -> None:
        env = Environment({"EMPTY": ""})
        env.number("COUNT")
        env.number("EMPTY")
        env.flag("FLAG")

        with pytest.raises(ImproperlyConfigured) as refusal:
            env.complete()

        assert [line.strip() for line in str(refusal.value).splitlines()[1:]] == [
            "- COUNT is missing",
            "- EMPTY is missing",
            "- FLAG is missing",
        ]

    def test_names_the_overrides_of_single_services_too(self) -> None:
        env = Environment({"URL_ONE": "http://127.0.0.1:1", "URL_TWO": "https://evil.example"})
        env.loopback_urls("URL_")

        with pytest.raises(ImproperlyConfigured, match="URL_TWO may only name a loopback address") as refusal:
            env.complete()
        assert "URL_ONE" not in str(refusal.value)

    @pytest.mark.parametrize("url", ["http://127.0.0.1:4566", "http://localhost:1", "http://[::1]:9"])
    def test_allows_an_override_on_loopback(self, url: str) -> None:
        env = Environment({"AWS_ENDPOINT_URL": url})

        assert env.loopback_url("AWS_ENDPOINT_URL") == url
        env.complete()

    @pytest.mark.parametrize(
        "url",
        ["https://evil.example", "http://127.0.0.1.evil.example", "http://127.0.0.1@evil.example", "evil"],
    )
    def test_refuses_an_override_elsewhere(self, url: str) -> None:
        env = Environment({"AWS_ENDPOINT_URL": url})
        env.loopback_url("AWS_ENDPOINT_URL")

        with pytest.raises(ImproperlyConfigured):
            env.complete()


class TestSettings:
    def test_name_everything_that_is_missing(self) -> None:
        refusal = start()

        assert refusal.returncode != 0
        assert {name for name in REQUIRED if f"{name} is missing" in refusal.stderr} == REQUIRED

    def test_start_with_what_is_required(self) -> None:
        assert start(**VALUES).returncode == 0

    @pytest.mark.parametrize("override", ["AWS_ENDPOINT_URL", "COGNITO_JWKS_URL"])
    def test_refuse_an_emulator_that_is_not_on_this_machine(self, override: str) -> None:
        refusal = start(**VALUES, **{override: "https://keys.example/jwks.json"})

        assert refusal.returncode != 0
        assert override in refusal.stderr

    def test_let_preflights_ask_for_the_headers_that_are_listed(self) -> None:
        allowed_headers = {
            value: read_setting("CORS_ALLOW_HEADERS", MOPED_API_CORS_HEADERS=value)
            for value in ("", "authorization, x-hasura-role")
        }

        assert allowed_headers[""] == "['accept', 'authorization', 'content-type', 'x-request-id']"
        assert allowed_headers["authorization, x-hasura-role"] == "['authorization', 'x-hasura-role']"

    def test_make_every_session_of_a_read_only_stage_read_only(self) -> None:
        session = {
            flag: read_setting("DATABASES['default']['OPTIONS']['options']", MOPED_API_READ_ONLY=flag)
            for flag in ("true", "false")
        }

        assert "default_transaction_read_only=on" in session["true"]
        assert "read_only" not in session["false"]
