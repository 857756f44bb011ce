"""The small programs behind `make`: locks and browser."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from apps.devstack import browser, requirements
from apps.devstack.environment import PROJECT


class TestUv:
    def test_trusts_whom_this_machine_trusts(self) -> None:
        process = subprocess.run(
            [requirements.UV, "pip", "list", "--show-settings"],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert "system_certs: true" in process.stdout


class TestLocks:
    def test_are_fresh_when_locking_again_pins_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(requirements, "lock", lambda _folder: True)
        assert requirements.main(["--check"]) == ""

    def test_are_named_when_an_edit_was_not_locked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def lock(folder: Path) -> bool:
            with (folder / "staging.txt").open("a") as file:
                file.write("added==1.0 \\\n    --hash=sha256:00\n")
            return True

        monkeypatch.setattr(requirements, "lock", lock)
        assert (
            requirements.main(["--check"]) == "Edited but not locked: staging. Run `make lock` and commit it."
        )

    def test_do_not_care_which_files_a_mirror_holds(self, tmp_path: Path) -> None:
        path = tmp_path / "lock.txt"
        path.write_text(
            "a==1 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\nb==2 \\\n    --hash=sha256:22\n"
        )
        assert requirements.pins(path) == ["a==1", "b==2"]

    def test_say_that_they_could_not_be_made(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(requirements, "UV", Path("/bin/false"))
        assert requirements.main([]) == requirements.FAILED
        with pytest.raises(SystemExit, match="uv cannot lock"):
            requirements.stale_locks()


class Installed:
    """Notes what would be installed; all of it works and none of it helps."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    def __call__(self, *command: str) -> bool:
        self.ran.append(" ".join(command))
        return True


@pytest.fixture
def installed() -> Installed:
    return Installed()


class TestBrowser:
    @pytest.fixture(autouse=True)
    def _nothing_here(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shutil, "which", lambda _name: None)
        monkeypatch.setattr(browser, "_playwrights_own", lambda: "")

    def test_is_the_systems_if_there_is_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}" if name == "chromium" else None)
        assert browser.find() == "/usr/bin/chromium"
        assert browser.main() == ""

    def test_is_debians_for_root(self, monkeypatch: pytest.MonkeyPatch, installed: Installed) -> None:
        monkeypatch.setattr(shutil, "which", lambda name: "/apt-get" if name == "apt-get" else None)
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(browser, "_install", installed)
        browser.main()
        assert installed.ran[1].startswith("/apt-get install")

    def test_is_playwrights_for_all_other_users(
        self, monkeypatch: pytest.MonkeyPatch, installed: Installed
    ) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        monkeypatch.setattr(browser, "_install", installed)
        browser.main()
        assert [line.partition(" ")[2] for line in installed.ran] == ["-m playwright install chromium"]

    def test_is_missed_in_one_sentence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(browser, "_install", lambda *_command: False)
        assert browser.main().endswith("`make check` will fail.")


class TestInstallOfABrowser:
    def test_gives_up_on_what_hangs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(browser, "SECONDS", 0.1)
        assert browser._install("sleep", "5") is False

    def test_is_whether_it_worked(self) -> None:
        assert browser._install("true") is True
