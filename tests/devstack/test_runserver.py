from __future__ import annotations

import os
import signal
import socket
from typing import TYPE_CHECKING

import pytest

from apps.devstack.emulator import free_port
from apps.devstack.environment import PROJECT
from tests.devstack.dev_server import Laptop
from tests.devstack.processes import answers, processes_of
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow(cost=60), pytest.mark.emulator]


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Laptop:
    """One laptop for all of these tests: each finds what the one before left."""
    return Laptop(tmp_path_factory.mktemp("laptop"), free_port())


def _claims(laptop: Laptop, key: str) -> str:
    code, text = laptop.output("token", "--as", key, "--decode")
    assert code == 0, text
    return text


def _subject(laptop: Laptop, key: str) -> str:
    return next(line for line in _claims(laptop, key).split("\n") if '"sub"' in line)


class TestRunserver:
    def test_says_what_a_newcomer_needs_and_leaves_nothing_behind(self, laptop: Laptop) -> None:
        with laptop.running() as server:
            assert answers(laptop.url)
            server.terminate()
            text, _ = server.communicate()
        assert f'$(.venv/bin/python manage.py token --as editor)" {laptop.url}auth/current_user' in text
        assert "ada.admin@austintexas.gov" in text
        assert text.count("Who you can be") == 1
        assert server.returncode == 0
        assert laptop.is_empty

    def test_keeps_its_world_over_edits_stops_and_kills(self, laptop: Laptop) -> None:
        with laptop.running() as server:
            subject = _subject(laptop, "editor")
            self._reload(laptop)
            assert _subject(laptop, "editor") == subject
            code, text = laptop.output("token")
            assert (code, text.count("\n"), text.count(".")) == (0, 1, 2)
            code, text = laptop.output("editor_config")
            assert (code, f"VITE_API_ENDPOINT={laptop.url[:-1]}\n" in text) == (0, True)
            server.send_signal(signal.SIGKILL)
            assert laptop.is_empty
        with laptop.running() as server:
            assert _subject(laptop, "editor") == subject
            code, text = laptop.output("runserver", str(free_port()))
            assert laptop.output("reset") == (code, text)
            server.send_signal(signal.SIGINT)
            assert laptop.is_empty
        assert code == 1
        assert text.startswith(f"DevstackError: The API already runs in this folder (process {server.pid}).")

    def _reload(self, laptop: Laptop) -> None:
        before, servers = processes_of(laptop.folder), self._servers(laptop)

        def is_replaced() -> bool:
            # More than once: the first may come before the reloader looks for the first time.
            os.utime(PROJECT / "apps" / "health" / "views.py")
            return before.keys() != processes_of(laptop.folder).keys()

        assert wait_until(is_replaced, poll_seconds=1.0)
        assert wait_until(lambda: answers(laptop.url))
        assert servers <= processes_of(laptop.folder).keys()

    def test_restarts_servers_that_are_killed(self, laptop: Laptop) -> None:
        with laptop.running("--noreload") as server:
            subject = _subject(laptop, "editor")
            killed = self._servers(laptop)
            for number in killed:
                os.kill(number, signal.SIGKILL)
            assert wait_until(lambda: len(self._servers(laptop) - killed) == len(killed))
            assert wait_until(lambda: laptop.output("token")[0] == 0)
            assert _subject(laptop, "editor") == subject
            server.terminate()
            text, _ = server.communicate()
        assert "Restarting PostgreSQL, which ended: " in text
        assert "Restarting the embedded AWS, which ended: " in text
        assert laptop.is_empty

    @staticmethod
    def _servers(laptop: Laptop) -> set[int]:
        processes = processes_of(laptop.folder)
        return {
            number for number, line in processes.items() if "ministack_launcher.py" in line or " -D " in line
        }

    def test_says_which_port_is_taken(self, laptop: Laptop) -> None:
        with socket.socket() as occupied:
            occupied.bind(("127.0.0.1", 0))
            occupied.listen()
            port = occupied.getsockname()[1]
            code, text = laptop.output("runserver", str(port))
        assert code == 1
        assert text.startswith(f"DevstackError: Port {port} is taken.")
        assert text.endswith(f"make run PORT={port + 1}\n")

    @pytest.mark.parametrize("port", ["eighty", "0", "65536"])
    def test_says_what_is_not_a_port(self, laptop: Laptop, port: str) -> None:
        assert laptop.output("runserver", port) == (1, f"DevstackError: '{port}' is not a port.\n")

    def test_says_that_another_aws_is_named(self, tmp_path: Path) -> None:
        laptop = Laptop(tmp_path, free_port())
        code, text = laptop.output("runserver", str(free_port()), AWS_ENDPOINT_URL="http://127.0.0.1:1")
        assert code == 1
        assert text.startswith("DevstackError: AWS_ENDPOINT_URL is set")


class TestToken:
    @pytest.mark.parametrize("command", [("token", "--as", "admin"), ("editor_config",)])
    def test_says_how_to_start_what_is_not_running(self, tmp_path: Path, command: tuple[str, ...]) -> None:
        (tmp_path / "world.json").write_text('{"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}')
        code, text = Laptop(tmp_path, 0).output(*command)
        assert code == 1
        assert text == "DevstackError: Nothing answers at http://127.0.0.1:9. Start it with `make run`.\n"


class TestReset:
    def test_forgets_the_world(self, tmp_path: Path) -> None:
        folder = tmp_path / "world"
        folder.mkdir()
        (folder / "world.json").write_text("{}")
        assert Laptop(folder, 0).output("reset")[0] == 0
        assert not folder.exists()
