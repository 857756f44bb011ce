import io
import os
import signal
import socket
from pathlib import Path
from unittest.mock import Mock

import psutil
import pytest
import requests
from django.core.management import call_command
from jose import jwt
from pytest_django.fixtures import Settings

from apps.devstack import environment, supervisor
from apps.devstack.emulator import free_port
from apps.devstack.environment import PROJECT
from apps.devstack.errors import DevstackError
from tests.support.laptop import Laptop
from tests.support.processes import answers, processes_of
from tests.support.waiting import LIMIT_SECONDS, wait_until


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Laptop:
    """One laptop for all of these tests: each finds what the one before left."""
    return Laptop(tmp_path_factory.mktemp("laptop"))


@pytest.fixture(scope="module")
def subjects() -> set[str]:
    """The accounts that the editor had in these tests, in whatever order they run."""
    return set()


def _subject(laptop: Laptop) -> str:
    """Return the account that the editor's token names. `token` prints nothing else."""
    return str(jwt.get_unverified_claims(laptop.manage("token"))["sub"])


def _servers(laptop: Laptop) -> set[int]:
    processes = processes_of(laptop.data)
    return {number for number, line in processes.items() if "emulator_patches.py" in line or " -D " in line}


def _reload(laptop: Laptop) -> None:
    before = processes_of(laptop.data)

    def is_replaced() -> bool:
        # More than once: the first may come before the reloader looks for the first time.
        os.utime(PROJECT / "apps" / "health" / "views.py")
        return before.keys() != processes_of(laptop.data).keys()

    assert wait_until(is_replaced, poll_seconds=1.0)
    assert wait_until(lambda: answers(laptop.url))


@pytest.mark.slow(cost=30)
@pytest.mark.emulator
class TestRunserver:
    def test_keeps_its_servers_over_a_reload(self, laptop: Laptop, subjects: set[str]) -> None:
        with laptop.running() as server:
            first = _servers(laptop)
            _reload(laptop)
            assert _servers(laptop) == first
            subjects.add(_subject(laptop))
            server.send_signal(signal.SIGKILL)
            assert laptop.is_empty
        text = laptop.printed()
        assert text.count("Who you can be") == 1
        assert f'$(.venv/bin/python manage.py token --as editor)" {laptop.url}/auth/current_user' in text
        assert len(subjects) == 1

    def test_ends_when_its_reloader_is_killed(self, laptop: Laptop) -> None:
        with laptop.running() as server:
            children = psutil.Process(server.pid).children()
            (reloader,) = [each for each in children if "runserver" in each.cmdline()]
            reloader.kill()
            assert laptop.is_empty

    def test_restarts_servers_that_are_killed(self, laptop: Laptop, subjects: set[str]) -> None:
        with laptop.running("--noreload") as server:
            killed = _servers(laptop)
            for number in killed:
                os.kill(number, signal.SIGKILL)
            assert wait_until(lambda: "Restarted PostgreSQL" in laptop.printed())
            assert wait_until(lambda: "Restarted the embedded AWS" in laptop.printed())
            subjects.add(_subject(laptop))
            with socket.create_connection(("127.0.0.1", laptop.port)) as connection:
                connection.sendall(b"\x16\x03 junk\r\n\r\n")
                assert connection.makefile().read() == "400: this is not an HTTP request.\n"
            assert "Server" not in requests.get(laptop.url, timeout=LIMIT_SECONDS).headers
        text = laptop.printed()
        assert "Restarting PostgreSQL, which ended: " in text
        assert "Restarting the embedded AWS, which ended: " in text
        assert server.returncode == 0
        assert laptop.is_empty
        assert len(subjects) == 1


class TestRestart:
    def test_that_fails_names_what_helps(self, tmp_path: Path) -> None:
        server = Mock(log=tmp_path / "log", **{"start.side_effect": DevstackError("Cannot start it.")})
        with pytest.raises(DevstackError, match=r"^Cannot start it\. Start again; `make reset` forgets"):
            supervisor._restart(server, print)


class TestArguments:
    @pytest.mark.parametrize("port", ["eighty", "0", "65536", "taken"])
    def test_names_a_port_where_it_cannot_listen(self, port: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as occupied:
            port = str(occupied.getsockname()[1]) if port == "taken" else port
            with pytest.raises(DevstackError, match=rf"cannot listen on port {port}\..* PORT=<number>$"):
                call_command("runserver", port)

    def test_refuses_another_aws(self) -> None:
        with pytest.raises(DevstackError, match=r"^AWS_ENDPOINT_URL is set"):
            call_command("runserver", str(free_port()))


class TestToken:
    @pytest.mark.parametrize("command", [("token", "--as", "admin"), ("editor_config",)])
    def test_says_how_to_start_the_servers(self, settings: Settings, command: tuple[str, ...]) -> None:
        settings.AWS_ENDPOINT_URL = os.environ["AWS_ENDPOINT_URL"]
        with pytest.raises(DevstackError, match=r"^Nothing answers at .* Start it with `make run`\.$"):
            call_command(*command)


class TestReset:
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for module, name, path in (
            (environment, "FOLDER", "."),
            (environment, "PUBLISHED", "variables.json"),
            (environment, "POSTGRESQL", "postgresql"),
            (supervisor, "AWS", "aws"),
        ):
            monkeypatch.setattr(module, name, tmp_path / path)

    def test_forgets_all_data_but_that_of_tests(self, tmp_path: Path) -> None:
        for name in ("variables.json", "postgresql/data", "aws/state", "tests/postgresql/data"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        call_command("reset", stdout=io.StringIO())
        assert {path.name for path in tmp_path.iterdir()} == {"lock", "tests"}
        assert (tmp_path / "tests" / "postgresql" / "data").exists()

    def test_refuses_while_the_servers_run(self) -> None:
        # `make run` takes the same lock, so it refuses a second one in the same words.
        message = rf"^The API already runs in this folder \(process {os.getpid()}\)\."
        with supervisor._folder_lock(), pytest.raises(DevstackError, match=message):
            call_command("reset")
