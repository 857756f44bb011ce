from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from apps.devstack.environment import PROJECT
from tests.devstack.processes import processes_of
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

SLEEPS = "import signal\ndef test_sleeps(): open(__file__ + '.up', 'w').close(); signal.pause()\n"
PASSES = "def test_passes(): pass\n"

pytestmark = pytest.mark.slow(cost=30)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One laptop for all of these tests, so that only the first makes a cluster."""
    return tmp_path_factory.mktemp("plugin") / "laptop"


def _pytest(folder: Path, content: str, **variables: str) -> subprocess.Popen[str]:
    test = folder.parent / "test_it.py"
    test.write_text(content)
    test.with_name("test_it.py.up").unlink(missing_ok=True)
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-c",
            "pyproject.toml",
            "--rootdir=.",
            "-p",
            "no:cacheprovider",
            str(test),
        ],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], "MOPED_DEVSTACK_FOLDER": str(folder), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _output(process: subprocess.Popen[str]) -> str:
    with process:
        return process.communicate()[0]


class TestPlugin:
    def test_starts_a_database_for_the_run_and_stops_it(self, folder: Path) -> None:
        assert "1 passed" in _output(_pytest(folder, PASSES))
        assert (folder / "tests" / "postgresql" / "data").exists()
        assert not processes_of(folder)

    def test_starts_none_where_one_is_given(self, folder: Path) -> None:
        assert "1 passed" in _output(_pytest(folder, PASSES, DATABASE_URL="postgresql:///given"))
        assert not processes_of(folder)

    @pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM], ids=lambda sign: sign.name)
    def test_leaves_no_process_when_the_run_is_killed(self, folder: Path, sign: signal.Signals) -> None:
        with _pytest(folder, SLEEPS) as run:
            assert wait_until((folder.parent / "test_it.py.up").exists)
            assert any("postgres" in line for line in processes_of(folder).values())
            run.send_signal(sign)
        assert wait_until(lambda: not processes_of(folder))

    def test_gives_two_runs_at_once_a_database_each(self, folder: Path) -> None:
        with _pytest(folder, SLEEPS) as first:
            assert wait_until((folder.parent / "test_it.py.up").exists)
            assert "1 passed" in _output(_pytest(folder, PASSES))
            first.kill()

    def test_says_in_one_sentence_why_there_is_no_database(self, folder: Path) -> None:
        empty = folder.parent / "empty"
        (empty / "tests" / "postgresql" / "data").mkdir(parents=True)
        run = _pytest(empty, PASSES)
        assert "Cannot start PostgreSQL: " in _output(run)
        assert run.returncode == 4
