"""The rules of the Makefile that install and lock, with stand-ins for Python and uv."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from apps.devstack.environment import PROJECT
from tests.support import processes

# Notes how it was called, and fails if the call contains $FAILS. It plays every program of an environment.
PROGRAM = """#!/bin/sh
call="$(basename "$0") $*"
echo "$call" >>"$CALLS"
case "$call" in *"$FAILS"*) exit 1 ;; esac
case "$call" in
*"-m venv"*)
    for folder; do :; done
    mkdir -p "$folder/bin" && cp "$0" "$folder/bin/python" && cp "$0" .venv/bin/uv ;;
*"compile"*"staging.in") eval "$EDIT" ;;
*"package.interpreter") echo "/home of ada/python3.13" ;;
"uv venv"*)
    for folder; do :; done
    mkdir -p "$folder" && test $# = 6 ;;
*"import sys"*) exec "$PYTHON_OF_TESTS" "$@" ;;
esac
"""
EDIT = "echo 'added==1.0 \\\\' >>staging.txt"


class Clone:
    """A bare clone with two short locks."""

    def __init__(self, folder: Path, python: str) -> None:
        self.folder = folder
        self.calls: list[str] = []
        self._variables = {"PATH": os.environ["PATH"], "CALLS": str(folder / "calls"), "EDIT": "true"}
        self._variables |= {"FAILS": "no call", "PYTHON_OF_TESTS": python}
        for name in ("Makefile", "zappa_settings.json"):
            shutil.copy(PROJECT / name, folder)
        shutil.copytree(PROJECT / "requirements", folder / "requirements")
        (folder / "python3").write_text(PROGRAM)
        (folder / "python3").chmod(0o755)

    def make(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run `make`, and keep the calls of this run."""
        (self.folder / "calls").write_text("")
        run = processes.run(
            *("make", "PYTHON=./python3", *arguments),
            folder=self.folder,
            environment=self._variables | variables,
        )
        self.calls = (self.folder / "calls").read_text().splitlines()
        return run

    @property
    def synced(self) -> list[str]:
        """The locks that uv installed."""
        return [call.rpartition("/")[2] for call in self.calls if call.startswith("uv pip sync")]


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    folder = tmp_path / "a clone"
    folder.mkdir()
    return Clone(folder, shutil.which("python3") or "")


@pytest.fixture
def installed(clone: Clone) -> Clone:
    assert clone.make("install").returncode == 0
    return clone


class TestInstall:
    def test_fills_both_environments_once_from_their_locks(self, installed: Clone) -> None:
        assert installed.synced == ["development.txt", "emulator.txt"]
        assert all("--require-hashes" in call for call in installed.calls if " pip " in call)
        assert installed.make("install").stdout == ""
        assert installed.calls == ["python -c "] * 2

    def test_follows_a_changed_lock(self, installed: Clone) -> None:
        with (installed.folder / "requirements" / "emulator.txt").open("a") as lock:
            lock.write("added==1.0\n")
        installed.make("install")
        assert installed.synced == ["development.txt", "emulator.txt"]
        assert not any(call.endswith("--clear .venv") for call in installed.calls)

    @pytest.mark.parametrize("damage", ["installed", "bin/python"])
    def test_begins_again_with_half_an_environment(self, installed: Clone, damage: str) -> None:
        (installed.folder / ".venv" / damage).unlink()
        assert installed.make("install").returncode == 0
        assert any(call.endswith("--clear .venv") for call in installed.calls)

    @pytest.mark.parametrize("fails", ["--clear .venv", "development.txt", "emulator.txt"])
    def test_tries_again_after_a_failure(self, clone: Clone, fails: str) -> None:
        assert clone.make("install", FAILS=fails).returncode != 0
        assert not (clone.folder / ".venv" / "installed").exists()
        assert clone.make("install").returncode == 0

    def test_uses_pip_where_uv_fails(self, clone: Clone) -> None:
        assert clone.make("install", FAILS="uv pip sync").returncode == 0
        assert sum("--no-deps" in call for call in clone.calls) == 2

    @pytest.mark.parametrize(
        ("python", "sentence"),
        [
            ("./none", "There is no ./none here."),
            ("./old", "Python 3.10 is too old, 3.11 or newer is needed"),
        ],
    )
    def test_names_the_python_that_it_needs(self, clone: Clone, python: str, sentence: str) -> None:
        old = clone.folder / "old"
        old.write_text('#!/bin/sh\nexec "$PYTHON_OF_TESTS" -c "import sys; sys.version_info = (3, 10)\n$2"\n')
        old.chmod(0o755)
        run = clone.make("install", f"PYTHON={python}")
        assert run.returncode != 0
        assert sentence in run.stdout + run.stderr


class TestBuild:
    def test_makes_the_environment_of_functions_with_their_python(self, installed: Clone) -> None:
        target = ".build/rehearsal/installed"
        command = "uv venv --quiet --clear --python /home of ada/python3.13 .build/rehearsal"
        assert installed.make(target).returncode == 0
        assert command in installed.calls
        assert installed.make(target).returncode == 0
        assert not [call for call in installed.calls if call.startswith("uv ")]
        assert installed.make("-B", target).returncode == 0
        assert command in installed.calls


class TestLocks:
    def test_accepts_locks_that_pin_the_same(self, installed: Clone) -> None:
        assert installed.make("locks").returncode == 0

    def test_names_a_lock_that_an_edit_changes(self, installed: Clone) -> None:
        run = installed.make("locks", EDIT=EDIT)
        assert run.returncode != 0
        assert "> staging.txt:added==1.0" in run.stdout
        assert "Edited but not locked. Run `make lock` and commit it." in run.stdout

    @pytest.mark.parametrize("target", ["lock", "locks"])
    def test_says_that_they_could_not_be_made(self, installed: Clone, target: str) -> None:
        run = installed.make(target, FAILS="uv pip compile")
        assert run.returncode != 0
        assert "uv cannot lock the requirements" in run.stdout

    def test_trusts_the_authorities_of_this_machine(self) -> None:
        run = processes.run(PROJECT / ".venv/bin/uv", "pip", "list", "--show-settings")
        assert "system_certs: true" in run.stdout


class TestLock:
    def test_locks_each_set_in_its_order(self, installed: Clone) -> None:
        assert installed.make("lock", EDIT=EDIT).returncode == 0
        names = [call.rpartition(" ")[2] for call in installed.calls if "compile" in call]
        assert names[:3] == ["production.in", "staging.in", "development.in"]
        assert set(names) == {path.name for path in (PROJECT / "requirements").glob("*.in")}
        assert "added==1.0" in (installed.folder / "requirements" / "staging.txt").read_text()
