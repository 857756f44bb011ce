from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from apps.devstack.emulator import free_port
from apps.devstack.environment import PROJECT
from tests.devstack.machine import answers, eventually, processes_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.emulator, pytest.mark.timeout(120)]
UP_SECONDS = 90.0


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Laptop:
    """One laptop for all of these tests: each finds what the one before left."""
    return Laptop(tmp_path_factory.mktemp("laptop"), free_port())


class Laptop:
    """`make run` in a folder of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}/"
        self.port = port

    def manage(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command as a developer would, in a shell that knows nothing."""
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT,
            env={
                "PATH": os.environ["PATH"],
                "MOPED_DEVSTACK_FOLDER": str(self.folder),
                "PYTHONUNBUFFERED": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )

    def output(self, *arguments: str) -> tuple[int, str]:
        """Run a command to its end."""
        with self.manage(*arguments) as process:
            text, _ = process.communicate(timeout=UP_SECONDS)
        return process.returncode, text

    @contextmanager
    def running(self, *options: str) -> Iterator[subprocess.Popen[str]]:
        """Serve until the end of the block, however it ends."""
        with self.manage("runserver", str(self.port), *options) as process:
            try:
                assert eventually(lambda: answers(self.url) or process.poll() is not None, UP_SECONDS)
                yield process
            finally:
                process.terminate()

    @property
    def is_empty(self) -> bool:
        """Whether no process is left that was given this folder."""
        return eventually(lambda: not processes_of(self.folder), seconds=20)


def _claims(laptop: Laptop, key: str) -> str:
    code, text = laptop.output("token", "--as", key, "--decode")
    assert code == 0, text
    return text


class TestRunserver:
    def test_serves_and_says_what_a_newcomer_needs(self, laptop: Laptop) -> None:
        with laptop.running() as server:
            assert answers(laptop.url)
            server.terminate()
            text, _ = server.communicate()
        assert (
            f'curl -H "Authorization: Bearer $(.venv/bin/python manage.py token --as editor)" {laptop.url}'
            in text
        )
        assert "ada.admin@austintexas.gov" in text
        assert text.count("Who you can be") == 1
        assert laptop.is_empty

    def test_keeps_its_world_over_stop_and_start(self, laptop: Laptop) -> None:
        subjects = []
        for _ in range(2):
            with laptop.running():
                subjects.append([line for line in _claims(laptop, "editor").split("\n") if '"sub"' in line])
        assert subjects[0] == subjects[1] != []
        assert laptop.is_empty

    def test_keeps_its_servers_when_an_edit_makes_it_reload(self, laptop: Laptop) -> None:
        with laptop.running():
            before = processes_of(laptop.folder)

            def is_replaced() -> bool:
                # More than once: the first may come before the reloader looks for the first time.
                os.utime(PROJECT / "apps" / "core" / "views.py")
                time.sleep(1)
                return before.keys() != processes_of(laptop.folder).keys()

            assert eventually(is_replaced, seconds=20)
            assert eventually(lambda: answers(laptop.url), UP_SECONDS)
            servers = {
                number for number, line in before.items() if "launcher.py" in line or "postgres" in line
            }
            assert servers <= processes_of(laptop.folder).keys()
            assert "eddie.editor" in _claims(laptop, "editor")

    @pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL], ids=lambda sign: sign.name)
    def test_leaves_no_process_behind(self, laptop: Laptop, sign: signal.Signals) -> None:
        with laptop.running() as server:
            server.send_signal(sign)
            assert laptop.is_empty

    def test_serves_without_the_reloader_too(self, laptop: Laptop) -> None:
        with laptop.running("--noreload"):
            assert answers(laptop.url)
        assert laptop.is_empty

    def test_says_which_port_is_taken(self, laptop: Laptop) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            code, text = laptop.output("runserver", str(port))
        assert code == 1
        assert text.startswith(f"DevstackError: Port {port} is taken.")
        assert text.endswith(f"make run PORT={port + 1}\n")

    def test_says_what_is_not_a_port(self, laptop: Laptop) -> None:
        assert laptop.output("runserver", "eighty") == (1, "DevstackError: 'eighty' is not a port.\n")

    def test_says_that_it_runs_already(self, laptop: Laptop) -> None:
        with laptop.running() as server:
            code, text = laptop.output("runserver", str(free_port()))
            reset = laptop.output("reset")
        assert code == 1
        assert text.startswith(f"DevstackError: The API already runs in this folder (process {server.pid}).")
        assert reset == (1, text)

    def test_says_that_another_aws_is_named(
        self, laptop: Laptop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        process = subprocess.run(
            [sys.executable, "manage.py", "runserver", str(free_port())],
            cwd=PROJECT,
            env={
                "PATH": os.environ["PATH"],
                "MOPED_DEVSTACK_FOLDER": str(tmp_path),
                "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
                "AWS_DEFAULT_REGION": "us-east-1",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 1
        assert process.stderr.startswith("DevstackError: AWS_ENDPOINT_URL is set")


class TestToken:
    def test_says_how_to_start_what_is_not_running(self, laptop: Laptop) -> None:
        code, text = laptop.output("token", "--as", "admin")
        assert code == 1
        assert text.startswith("DevstackError: Nothing answers at http://127.0.0.1:")


class TestReset:
    def test_forgets_the_world(self, tmp_path: Path) -> None:
        folder = tmp_path / "world"
        folder.mkdir()
        (folder / "world.json").write_text("{}")
        assert Laptop(folder, 0).output("reset")[0] == 0
        assert not folder.exists()
