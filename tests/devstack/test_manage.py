import sys
from pathlib import Path

import django.core.management
import pytest
from django.db import OperationalError

import manage
from tests.support.laptop import Laptop


@pytest.fixture(autouse=True)
def _no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each command find its environment complete and PostgreSQL stopped."""

    def execute(_arguments: list[str]) -> None:
        raise OperationalError("connection failed: No such file\nIs the server running?")

    monkeypatch.setattr(manage, "complete_environment", lambda: None)
    monkeypatch.setattr(django.core.management, "execute_from_command_line", execute)


class TestManage:
    @pytest.mark.parametrize(
        ("command", "advice"),
        [
            ("migrate", "connection failed: No such file. On a laptop, `make run` starts it."),
            ("test", "make test"),
            ("collectstatic", "There is nothing to collect"),
            ("createsuperuser", "There is no Django admin"),
        ],
    )
    def test_says_in_one_line_what_to_do_instead(
        self, monkeypatch: pytest.MonkeyPatch, command: str, advice: str
    ) -> None:
        monkeypatch.setattr(sys, "argv", ["manage.py", command])
        with pytest.raises(SystemExit, match=f".*{advice}.*"):
            manage.main()

    def test_shows_the_traceback_on_request(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "argv", ["manage.py", "migrate", "--traceback"])
        with pytest.raises(OperationalError):
            manage.main()

    def test_says_so_in_a_shell(self, tmp_path: Path) -> None:
        text = Laptop(tmp_path).manage("showmigrations", code=1)
        assert "On a laptop, `make run` starts it." in text
        assert "\n" not in text

    def test_warns_of_nothing_before_a_deployment(self, tmp_path: Path) -> None:
        text = Laptop(tmp_path).manage("check", "--deploy", "--fail-level", "WARNING")
        assert text == "System check identified no issues (3 silenced)."
