"""Where the Python of the stages' runtime is looked for."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from apps.deployment.errors import StageError
from apps.deployment.package import interpreter

MISSING = "3.99"


def program(path: Path, prints: str, *, code: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{prints}'\nexit {code}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only folder that programs are found in, and let uv have no Python."""
    folder = tmp_path / "path"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{tmp_path / 'later'}")
    monkeypatch.setattr(interpreter, "UV", (str(program(tmp_path / "uv", "no such Python", code=2)),))
    return folder


class TestFind:
    def test_takes_this_python_if_it_is_the_one(self, path: Path) -> None:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"

        assert str(interpreter.find(version)) == sys.executable

    def test_looks_on_the_path(self, path: Path) -> None:
        python = program(path / "python3.99", "cpython 3 99")

        assert interpreter.find(MISSING) == python

    def test_goes_past_programs_that_are_another_python(self, path: Path, tmp_path: Path) -> None:
        program(path / "python3.99", "pyenv: python3.99: command not found", code=127)
        python = program(tmp_path / "later" / "python3.99", "cpython 3 99")

        assert interpreter.find(MISSING) == python

    def test_looks_in_pyenvs_versions(self, path: Path, tmp_path: Path) -> None:
        program(path / "pyenv", str(tmp_path / "pyenv-root"))
        program(tmp_path / "pyenv-root/versions/3.98.0/bin/python3.98", "cpython 3 98")
        python = program(tmp_path / "pyenv-root/versions/3.99.0/bin/python3.99", "cpython 3 99")

        assert interpreter.find(MISSING) == python

    def test_asks_uv(self, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        python = program(tmp_path / "uv-root" / "python", "cpython 3 99")
        monkeypatch.setattr(interpreter, "UV", (str(program(tmp_path / "uv", str(python))),))

        assert interpreter.find(MISSING) == python

    @pytest.mark.parametrize("prints", ["cpython 3 9", "pypy 3 99", ""])
    def test_says_how_to_get_one(self, prints: str, path: Path) -> None:
        program(path / "python3.99", prints)

        with pytest.raises(
            StageError, match=r"this machine has none: install it with .* python install 3\.99"
        ):
            interpreter.find(MISSING)


class TestBuildOf:
    def test_is_the_whole_version(self) -> None:
        assert interpreter.build_of(Path(sys.executable)) == sys.version


class TestMain:
    def test_prints_where_it_is(
        self, path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        python = program(path / "python3.13", "cpython 3 13")
        monkeypatch.setattr(sys, "executable", str(program(path / "python", "cpython 3 11")))

        assert not interpreter.main()
        assert capsys.readouterr().out == f"{python}\n"

    def test_says_in_one_sentence_that_there_is_none(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "executable", str(program(path / "python", "cpython 3 11")))

        message = interpreter.main()

        assert message.startswith("The stages run on Python 3.13 and this machine has none: install it with")
