from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.devstack.dev_server import Laptop

if TYPE_CHECKING:
    from pathlib import Path


class TestManage:
    @pytest.mark.parametrize(
        ("command", "advice"),
        [
            ("migrate", "On a laptop, `make run` starts it."),
            ("showmigrations", "On a laptop, `make run` starts it."),
            ("test", "make test"),
            ("collectstatic", "There is nothing to collect"),
            ("createsuperuser", "There is no Django admin"),
        ],
    )
    def test_says_in_one_line_what_to_do_instead(self, tmp_path: Path, command: str, advice: str) -> None:
        code, text = Laptop(tmp_path, 0).output(command)
        assert code == 1
        assert advice in text
        assert text.count("\n") == 1

    def test_shows_the_traceback_on_request(self, tmp_path: Path) -> None:
        code, text = Laptop(tmp_path, 0).output("migrate", "--traceback")
        assert code == 1
        assert text.startswith("Traceback")

    def test_warns_of_nothing_before_a_deployment(self, tmp_path: Path) -> None:
        code, text = Laptop(tmp_path, 0).output("check", "--deploy", "--fail-level", "WARNING")
        assert (code, text) == (0, "System check identified no issues (3 silenced).\n")
