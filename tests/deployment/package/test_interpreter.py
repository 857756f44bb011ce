"""What a package is built for, and where its Python is looked for: as uv does, and among pyenv's versions."""

import os
import sys
from pathlib import Path

import pytest

from apps.deployment.errors import StageError
from apps.deployment.package import interpreter
from apps.deployment.package.interpreter import Target, target_of, target_of_file

VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"


def program(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{content}\n")
    path.chmod(0o755)


def python(path: Path) -> Path:
    """Put this Python at a path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(Path(sys.executable).resolve())
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without a Python: neither this one, nor pyenv's, nor uv's. The path has two folders in it."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'first'}{os.pathsep}{tmp_path / 'second'}")
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path / "uv"))
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path / "base"))
    return tmp_path


class TestTargetOf:
    @pytest.mark.parametrize(
        ("processor", "architecture", "platform"),
        [
            ({}, "x86_64", "x86_64-manylinux_2_34"),  # Zappa's default
            ({"architecture": "arm64"}, "arm64", "aarch64-manylinux_2_34"),
        ],
    )
    def test_takes_wheels_for_the_runtimes_glibc(
        self, processor: dict[str, str], architecture: str, platform: str
    ) -> None:
        target = target_of({"runtime": "python3.14", **processor})

        assert target == Target("python3.14", architecture)
        assert (target.python, target.platform) == ("3.14", platform)

    @pytest.mark.parametrize(
        "settings",
        [{"runtime": "python3.11"}, {}, {"runtime": "python3.13", "architecture": "aarch64"}],
    )
    def test_refuses_other_runtimes_and_processors(self, settings: dict[str, str]) -> None:
        with pytest.raises(StageError, match=r"python3\.12 and newer, .* on x86_64 or arm64") as refusal:
            target_of(settings)

        assert all(f'"{value}"' in str(refusal.value) for value in settings.values())


class TestFind:
    def test_takes_this_python_if_it_is_the_one(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.undo()
        monkeypatch.setenv("PATH", str(folder))

        assert interpreter.build_of(interpreter.find(VERSION)) == sys.version

    def test_goes_past_programs_that_are_no_python(self, folder: Path) -> None:
        program(folder / f"first/python{VERSION}", "exit 127")
        path = python(folder / f"second/python{VERSION}")

        assert interpreter.find(VERSION) == path

    def test_looks_in_pyenvs_versions(self, folder: Path) -> None:
        program(folder / "first/pyenv", f"echo {folder}/pyenv")
        path = python(folder / f"pyenv/versions/{VERSION}.0/bin/python{VERSION}")

        assert interpreter.find(VERSION) == path

    def test_says_how_to_get_one(self, folder: Path) -> None:
        with pytest.raises(
            StageError, match=rf"this machine has none: install it with .* python install {VERSION}"
        ):
            interpreter.find(VERSION)


class TestMain:
    def test_prints_where_it_is(self, capsys: pytest.CaptureFixture[str]) -> None:
        interpreter.main()

        assert Path(capsys.readouterr().out.strip()) == interpreter.find(target_of_file().python)

    def test_says_in_one_sentence_that_there_is_none(self, folder: Path) -> None:
        with pytest.raises(SystemExit, match=r"^The stages run on Python 3\.13 and this machine has none"):
            interpreter.main()
