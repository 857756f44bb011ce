import os
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from apps.devstack import environment
from tests.support import environment as test_environment


@pytest.fixture(autouse=True)
def _bare_shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setattr(environment, "FOLDER", tmp_path)
    monkeypatch.setattr(environment, "PUBLISHED", tmp_path / "variables.json")
    monkeypatch.setattr(environment, "DOTENV", tmp_path / ".env")
    monkeypatch.setattr(environment, "POSTGRESQL", tmp_path / "postgresql")
    monkeypatch.setattr(environment, "_supplied", set())
    with patch.dict(os.environ, clear=True):
        yield


class TestApply:
    @pytest.mark.parametrize(
        ("published", "dotenv", "shell", "pool"),
        [
            ("", "", {}, "us-east-1_NOTYETMADE"),
            ("{", "", {}, "us-east-1_NOTYETMADE"),
            ('{"COGNITO_USERPOOL_ID": "published"}', "", {}, "published"),
            ('{"COGNITO_USERPOOL_ID": "published"}', "COGNITO_USERPOOL_ID=file", {}, "file"),
            ("", "COGNITO_USERPOOL_ID=file", {"COGNITO_USERPOOL_ID": "shell"}, "shell"),
        ],
        ids=["placeholder", "broken file", "published", "file", "shell"],
    )
    def test_takes_the_first_source(
        self, tmp_path: Path, published: str, dotenv: str, shell: dict[str, str], pool: str
    ) -> None:
        (tmp_path / "variables.json").write_text(published)
        (tmp_path / ".env").write_text(dotenv)
        os.environ.update(shell)
        environment.apply()
        assert os.environ["COGNITO_USERPOOL_ID"] == pool
        assert os.environ["MOPED_API_CURRENT_ENVIRONMENT"] == "laptop"
        assert os.environ["DATABASE_URL"].endswith("/moped")

    @pytest.mark.parametrize(
        ("name", "value", "result"),
        [
            ("AWS_PROFILE", "city", None),
            ("AWS_ACCESS_KEY_ID", "AKIAREAL", "test"),
            ("AWS_DEFAULT_REGION", "eu-west-1", "us-east-1"),
            ("AWS_CONFIG_FILE", "/home/ada/.aws/config", os.devnull),
            ("AWS_ENDPOINT_URL_S3", "https://s3.example.com", None),
            ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true", None),
            ("AWS_USE_FIPS_ENDPOINT", "true", None),
            ("PGSERVICE", "city", None),
            ("PGOPTIONS", "-c default_transaction_read_only=on", None),
            ("DJANGO_SETTINGS_MODULE", "another_project.settings", "moped_api.settings"),
        ],
    )
    def test_sets_the_shell_aside(self, name: str, value: str, result: str | None) -> None:
        os.environ[name] = value
        environment.apply()
        assert os.environ.get(name) == result
        os.environ[name] = value
        del os.environ["DATABASE_URL"]
        test_environment.apply("postgresql:///tests")
        assert os.environ.get(name) == result

    def test_leaves_other_servers_their_variables(self) -> None:
        own = {"DATABASE_URL": "postgresql:///mine", "PGPASSFILE": "/home/ada/.pgpass"}
        own |= {"AWS_ENDPOINT_URL": "http://127.0.0.1:5000", "AWS_ACCESS_KEY_ID": "mine"}
        os.environ.update(own)
        environment.apply()
        assert own.items() <= os.environ.items()
        assert not environment.is_supplied("AWS_ENDPOINT_URL")

    def test_keeps_a_proxy_away_from_this_machine(self) -> None:
        os.environ.update(HTTP_PROXY="http://proxy.example:3128", no_proxy="example.com")
        environment.apply()
        assert os.environ["NO_PROXY"] == os.environ["no_proxy"] == "example.com,127.0.0.1,localhost,::1"

    def test_logs_every_event_of_the_server_only(self) -> None:
        environment.apply()
        assert os.environ["MOPED_API_LOG_LEVEL"] == "WARNING"
        os.environ[environment.SUPERVISED] = "true"
        del os.environ["MOPED_API_LOG_LEVEL"]
        environment.apply()
        assert os.environ["MOPED_API_LOG_LEVEL"] == "INFO"

    def test_adds_nothing_to_a_stage(self, tmp_path: Path) -> None:
        os.environ[environment.STAGE_VARIABLE] = "staging"
        environment.apply()
        assert "AWS_ENDPOINT_URL" not in os.environ
        del os.environ[environment.STAGE_VARIABLE]
        (tmp_path / ".env").write_text("MOPED_API_CURRENT_ENVIRONMENT=staging\n")
        environment.apply()
        assert os.environ[environment.STAGE_VARIABLE] == "staging"
        assert "AWS_ENDPOINT_URL" not in os.environ


class TestReadDotenv:
    def test_reads_as_a_shell_does(self, tmp_path: Path) -> None:
        path = tmp_path / "file"
        path.write_text("# comment\nexport A=1\nB='two words' # why\n\nC=\n")
        assert environment.read_dotenv(path) == {"A": "1", "B": "two words", "C": ""}


class TestApplyOfTests:
    def test_hides_the_developers_own(self) -> None:
        os.environ.update(DATABASE_URL="postgresql:///given", COGNITO_USERPOOL_ID="us-east-1_Real")
        test_environment.apply("postgresql:///tests")
        assert os.environ["COGNITO_USERPOOL_ID"] == "us-east-1_TESTPOOL1"
        assert os.environ["DATABASE_URL"] == "postgresql:///given"
