import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from apps.devstack.environment import PROJECT
from tests.support import plugin
from tests.support.processes import processes_of
from tests.support.waiting import wait_until

SLEEPS = "import signal\ndef test_sleeps(): open(__file__ + '.up', 'w').close(); signal.pause()\n"
PASSES = "def test_passes(): pass\n"

pytestmark = pytest.mark.slow(cost=15)


def _pytest(folder: Path, content: str, **variables: str) -> subprocess.Popen[str]:
    test = folder / "test_it.py"
    test.write_text(content)
    options = ("-c", "pyproject.toml", "--rootdir=.", "-p", "no:cacheprovider")
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", *options, str(test)],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], "MOPED_DEVSTACK_FOLDER": str(folder / "laptop"), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


class TestPlugin:
    def test_gives_each_run_a_database_for_its_lifetime(self, tmp_path: Path) -> None:
        with _pytest(tmp_path, SLEEPS) as first:
            assert wait_until((tmp_path / "test_it.py.up").exists)
            assert any("postgres" in line for line in processes_of(tmp_path).values())
            with _pytest(tmp_path, PASSES) as second:
                assert "1 passed" in second.communicate()[0]
            first.kill()
        assert wait_until(lambda: not processes_of(tmp_path))

    def test_starts_none_where_one_is_given(self, tmp_path: Path) -> None:
        with _pytest(tmp_path, PASSES, DATABASE_URL="postgresql:///given") as run:
            assert "1 passed" in run.communicate()[0]
        assert not (tmp_path / "laptop").exists()

    def test_says_in_one_sentence_why_there_is_no_database(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "postgresql" / "data").mkdir(parents=True)
        monkeypatch.setattr(plugin, "FOLDER", tmp_path)
        monkeypatch.setenv("DATABASE_URL", "removed at the end")
        with pytest.raises(pytest.UsageError, match=r"^Cannot start PostgreSQL: "), ExitStack() as cleanup:
            plugin._start_postgresql(cleanup)
