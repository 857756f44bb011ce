from __future__ import annotations

import ast
from pathlib import Path

import pytest

from apps.devstack import install


class Shell:
    """Notes what would be run; `fails` names what does not work here."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.fails: tuple[str, ...] = ()

    def call(self, *command: str) -> bool:
        self.ran.append(" ".join(command))
        return not any(word in self.ran[-1] for word in self.fails)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    shell = Shell()
    venv = tmp_path / ".venv"
    (venv / "bin").mkdir(parents=True)
    monkeypatch.setattr(install, "VENV", venv)
    monkeypatch.setattr(install, "EMULATOR_VENV", venv / "emulator")
    monkeypatch.setattr(install, "MARK", venv / "installed")
    monkeypatch.setattr(install, "_call", shell.call)
    monkeypatch.setattr(install, "_runs", lambda _venv: True)
    return shell


class TestMain:
    def test_can_be_read_by_a_python_that_is_too_old(self) -> None:
        source = Path(install.__file__).read_text(encoding="utf-8")
        ast.parse(source, feature_version=(3, 6))
        assert "from __future__" not in source

    def test_says_which_python_it_needs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(install, "OLDEST", (99, 0))
        assert install.main().endswith("is too old, 3.11 or newer is needed: make PYTHON=python3.12 …")

    def test_fills_both_environments_from_their_locks(self, shell: Shell) -> None:
        assert install.main() == ""
        assert [line.rpartition("/")[2] for line in shell.ran if "uv pip sync" in line] == [
            "development.txt",
            "emulator.txt",
        ]
        assert all("--require-hashes" in line for line in shell.ran if " pip " in line)

    def test_does_nothing_the_second_time(self, shell: Shell) -> None:
        install.main()
        shell.ran.clear()
        assert install.main() == ""
        assert shell.ran == []

    def test_follows_a_changed_lock(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        install.main()
        shell.ran.clear()
        monkeypatch.setattr(install, "_digest", lambda: "another lock")
        install.main()
        assert "uv pip sync" in shell.ran[-1]
        assert "-m venv --clear" not in shell.ran[0]

    def test_begins_again_where_it_was_interrupted(self, shell: Shell) -> None:
        install.main()
        install.MARK.unlink()
        shell.ran.clear()
        assert install.main() == ""
        assert "-m venv --clear" in shell.ran[0]

    def test_mends_an_environment_whose_python_is_gone(
        self, shell: Shell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        install.main()
        monkeypatch.setattr(install, "_runs", lambda _venv: False)
        shell.ran.clear()
        install.main()
        assert "-m venv --clear" in shell.ran[0]

    @pytest.mark.parametrize(
        ("fails", "sentence"),
        [
            (("-m venv --clear",), "cannot make virtual environments"),
            (("development.txt",), "development requirements could not be installed"),
            (("emulator.txt",), "embedded AWS could not be installed"),
        ],
        ids=["venv", "development", "emulator"],
    )
    def test_says_what_failed_and_tries_again_next_time(
        self, shell: Shell, monkeypatch: pytest.MonkeyPatch, fails: tuple[str, ...], sentence: str
    ) -> None:
        monkeypatch.setattr(install, "_runs", lambda _venv: "virtual" not in sentence)
        shell.fails = fails
        assert sentence in install.main()
        assert not install.MARK.exists()

    def test_makes_do_with_pip_where_uv_finds_nothing(self, shell: Shell) -> None:
        shell.fails = ("uv pip sync",)
        assert install.main() == ""
        assert any("-m pip" in line and line.endswith("development.txt") for line in shell.ran)


class TestInstallUv:
    def test_takes_the_very_one_that_the_lock_names(
        self, shell: Shell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        locks = []
        monkeypatch.setattr(install, "_call", lambda *command: locks.append(Path(command[-1]).read_text()))
        install._install_uv()
        assert locks[0].startswith("uv==")
        assert locks[0].count("==") == 1
        assert "--hash=sha256:" in locks[0]


class TestCall:
    def test_is_false_for_a_program_that_is_not_there(self, tmp_path: Path) -> None:
        assert install._call(str(tmp_path / "nothing")) is False

    def test_is_whether_it_worked(self) -> None:
        assert install._call("true") is True
        assert install._call("false") is False


class TestRuns:
    def test_is_false_for_half_an_environment(self, tmp_path: Path) -> None:
        assert install._runs(tmp_path) is False
