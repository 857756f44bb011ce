import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from apps.core.aws import clients
from apps.devstack import emulator as emulator_module
from apps.devstack.emulator import Emulator, free_port
from apps.devstack.environment import PROJECT
from apps.devstack.errors import DevstackError
from tests.support import processes
from tests.support.emulator_fixtures import clients_call
from tests.support.waiting import wait_until

pytestmark = pytest.mark.emulator

PARENT = """
import signal, sys
from pathlib import Path
from apps.devstack.emulator import Emulator
Emulator(Path(sys.argv[1]), int(sys.argv[2])).start()
print("up", flush=True)
signal.pause()
"""


class TestEmulator:
    def test_listens_on_this_machine_only(self, emulator: Emulator) -> None:
        assert emulator._process is not None
        connections = psutil.Process(emulator._process.pid).net_connections()
        assert {each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN} == {"127.0.0.1"}

    def test_keeps_its_data_when_its_parent_is_killed(self, tmp_path: Path) -> None:
        emulator = Emulator(tmp_path, free_port())
        command = [sys.executable, "-c", PARENT, str(tmp_path), str(emulator.port)]
        with clients_call(emulator.url):
            with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE) as parent:
                assert parent.stdout is not None
                assert parent.stdout.readline() == b"up\n"
                clients.secrets_manager().create_secret(Name="kept", SecretString="content")
                clients.s3().create_bucket(Bucket="kept")
                clients.s3().put_object(Bucket="kept", Key="file", Body=b"content")
                parent.kill()
            assert wait_until(lambda: not processes.processes_of(tmp_path))
            emulator.start()
            assert clients.secrets_manager().get_secret_value(SecretId="kept")["SecretString"] == "content"
            assert clients.s3().get_object(Bucket="kept", Key="file")["Body"].read() == b"content"
            emulator.stop()

    def test_says_in_one_sentence_why_it_did_not_start(self, emulator: Emulator, tmp_path: Path) -> None:
        second = Emulator(tmp_path, emulator.port)
        with pytest.raises(DevstackError, match=r"^Cannot start the embedded AWS: .+emulator\.log\)$"):
            second.start()

    def test_names_the_command_that_installs_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(emulator_module, "PYTHON", tmp_path / "python")
        with pytest.raises(DevstackError, match="make install"):
            Emulator(tmp_path, 1).start()


class TestLauncher:
    def test_refuses_a_ministack_without_a_patched_function(self, tmp_path: Path) -> None:
        name = "'_gone_in_the_next_version'"
        code = f"import emulator_patches as launcher; launcher.patch(launcher.cognito, {name}, None)"
        variables = {"GATEWAY_PORT": "1", "TMPDIR": str(tmp_path)}
        folder = emulator_module.LAUNCHER.parent
        run = processes.run(emulator_module.PYTHON, "-c", code, folder=folder, environment=variables)
        assert run.returncode == 1
        assert "has no ministack.services.cognito._gone_in_the_next_version" in run.stderr


class TestFreePort:
    def test_prefers_a_port_unless_it_is_taken(self) -> None:
        port = free_port()
        assert free_port(port) == port
        with socket.socket() as occupied:
            occupied.bind((emulator_module.HOST, port))
            occupied.listen()
            assert free_port(port) not in {0, port}
