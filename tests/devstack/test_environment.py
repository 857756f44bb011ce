from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from apps.devstack import environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _bare_shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setattr(environment, "FOLDER", tmp_path)
    monkeypatch.setattr(environment, "WORLD", tmp_path / "world.json")
    monkeypatch.setattr(environment, "DOTENV", tmp_path / ".env")
    monkeypatch.setattr(environment, "POSTGRESQL", tmp_path / "postgresql")
    with patch.dict(os.environ, clear=True):
        yield


class TestApply:
    def test_lets_commands_work_before_anything_was_started(self) -> None:
        environment.apply()
        assert os.environ["MOPED_API_CURRENT_ENVIRONMENT"] == "laptop"
        assert os.environ["COGNITO_USERPOOL_ID"] == "us-east-1_NOTYETMADE"
        assert os.environ["DATABASE_URL"].endswith("/moped")

    def test_names_the_furnished_world(self, tmp_path: Path) -> None:
        (tmp_path / "world.json").write_text(json.dumps({"COGNITO_USERPOOL_ID": "us-east-1_Made"}))
        environment.apply()
        assert os.environ["COGNITO_USERPOOL_ID"] == "us-east-1_Made"

    def test_prefers_the_developers_own_file_to_the_world(self, tmp_path: Path) -> None:
        (tmp_path / "world.json").write_text(json.dumps({"MOPED_API_LOG_LEVEL": "INFO"}))
        (tmp_path / ".env").write_text("MOPED_API_LOG_LEVEL=DEBUG\n")
        environment.apply()
        assert os.environ["MOPED_API_LOG_LEVEL"] == "DEBUG"

    def test_prefers_the_shell_to_everything(self, tmp_path: Path) -> None:
        (tmp_path / ".env").write_text("MOPED_API_LOG_LEVEL=DEBUG\n")
        os.environ["MOPED_API_LOG_LEVEL"] = "ERROR"
        environment.apply()
        assert os.environ["MOPED_API_LOG_LEVEL"] == "ERROR"

    def test_takes_up_a_world_made_since_even_in_a_child(self, tmp_path: Path) -> None:
        environment.apply()
        environment.publish({"COGNITO_USERPOOL_ID": "us-east-1_Made"})
        assert os.environ["COGNITO_USERPOOL_ID"] == "us-east-1_Made"

    def test_survives_a_world_cut_short(self, tmp_path: Path) -> None:
        (tmp_path / "world.json").write_text("{")
        environment.apply()
        assert os.environ["COGNITO_USERPOOL_ID"] == "us-east-1_NOTYETMADE"

    def test_sets_the_developers_real_aws_aside(self) -> None:
        os.environ.update(AWS_PROFILE="city", AWS_ACCESS_KEY_ID="AKIAREAL", AWS_DEFAULT_REGION="eu-west-1")
        environment.apply()
        assert "AWS_PROFILE" not in os.environ
        assert os.environ["AWS_ACCESS_KEY_ID"] == "test"
        assert os.environ["AWS_DEFAULT_REGION"] == "us-east-1"
        assert os.environ["AWS_CONFIG_FILE"] == os.devnull

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("AWS_ENDPOINT_URL_S3", "https://s3.example.com"),
            ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
            ("AWS_USE_FIPS_ENDPOINT", "true"),
            ("PGSERVICE", "city"),
            ("PGOPTIONS", "-c default_transaction_read_only=on"),
        ],
    )
    def test_removes_what_would_mislead_the_clients(self, name: str, value: str) -> None:
        os.environ[name] = value
        environment.apply()
        assert name not in os.environ
        os.environ[name] = value
        del os.environ["DATABASE_URL"]
        environment.apply_for_tests("postgresql:///tests")
        assert name not in os.environ

    def test_leaves_another_database_its_variables(self) -> None:
        os.environ.update(DATABASE_URL="postgresql:///mine", PGPASSFILE="/home/ada/.pgpass")
        environment.apply()
        assert os.environ["PGPASSFILE"] == "/home/ada/.pgpass"

    def test_keeps_a_proxy_away_from_this_machine(self) -> None:
        os.environ.update(HTTP_PROXY="http://proxy.example:3128", no_proxy="example.com")
        environment.apply()
        assert os.environ["NO_PROXY"] == os.environ["no_proxy"] == "example.com,127.0.0.1,localhost,::1"

    def test_names_its_own_settings(self) -> None:
        os.environ["DJANGO_SETTINGS_MODULE"] = "another_project.settings"
        environment.apply()
        assert os.environ["DJANGO_SETTINGS_MODULE"] == "moped_api.settings"

    def test_logs_every_event_of_the_server_only(self) -> None:
        environment.apply()
        assert os.environ["MOPED_API_LOG_LEVEL"] == "WARNING"
        environment.announce_starter()
        environment.apply()
        assert os.environ["MOPED_API_LOG_LEVEL"] == "INFO"

    def test_leaves_another_emulator_its_own_credentials(self) -> None:
        os.environ.update(AWS_ENDPOINT_URL="http://127.0.0.1:5000", AWS_ACCESS_KEY_ID="mine")
        environment.apply()
        assert os.environ["AWS_ACCESS_KEY_ID"] == "mine"
        assert not environment.is_supplied("AWS_ENDPOINT_URL")

    def test_leaves_a_stage_alone(self) -> None:
        os.environ["MOPED_API_CURRENT_ENVIRONMENT"] = "staging"
        before = dict(os.environ)
        environment.apply()
        assert dict(os.environ) == before

    def test_adds_nothing_to_a_stage_that_the_file_describes(self, tmp_path: Path) -> None:
        (tmp_path / ".env").write_text("MOPED_API_CURRENT_ENVIRONMENT=staging\n")
        environment.apply()
        assert os.environ["MOPED_API_CURRENT_ENVIRONMENT"] == "staging"
        assert "AWS_ENDPOINT_URL" not in os.environ


class TestReadDotenv:
    def test_reads_what_a_shell_would(self, tmp_path: Path) -> None:
        path = tmp_path / "file"
        path.write_text("# comment\nexport A=1\nB='two words' # why\n\nC=\n")
        assert environment.read_dotenv(path) == {"A": "1", "B": "two words", "C": ""}


class TestApplyForTests:
    def test_hides_the_developers_world(self) -> None:
        os.environ.update(AWS_PROFILE="city", COGNITO_USERPOOL_ID="us-east-1_Real")
        environment.apply_for_tests("postgresql:///tests")
        assert "AWS_PROFILE" not in os.environ
        assert os.environ["COGNITO_USERPOOL_ID"] == "us-east-1_TESTPOOL1"

    def test_honours_a_database_that_was_given(self) -> None:
        os.environ["DATABASE_URL"] = "postgresql:///given"
        environment.apply_for_tests("postgresql:///tests")
        assert os.environ["DATABASE_URL"] == "postgresql:///given"


class TestStarter:
    def test_is_zero_for_what_a_person_started(self) -> None:
        assert environment.supervisor_pid() == 0

    def test_is_us_for_what_we_start(self) -> None:
        environment.announce_starter()
        assert environment.supervisor_pid() == os.getpid()
