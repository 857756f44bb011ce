from __future__ import annotations

import io
import json
import socket
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from apps.core.aws import clients
from apps.devstack import emulator
from apps.devstack.emulator import Emulator, free_port
from apps.devstack.environment import PROJECT
from apps.devstack.errors import DevstackError
from tests.devstack.processes import answers, processes_of
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_lambda.literals import RuntimeType

pytestmark = pytest.mark.emulator

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        },
    }
)
PARENT = """
import signal, sys
from pathlib import Path
from apps.devstack.emulator import Emulator
Emulator(Path(sys.argv[1]), int(sys.argv[2])).start()
print("up", flush=True)
signal.pause()
"""


@pytest.fixture
def own_emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    own = Emulator(tmp_path, free_port())
    own.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", own.url)
    clients.forget_clients()
    yield own
    own.stop()
    clients.forget_clients()


def _listeners(pid: int) -> set[str]:
    # Local addresses in state 0A, which is LISTEN, of the sockets that a process holds.
    sockets = {
        link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir() if "socket" in str(link.readlink())
    }
    rows = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path(f"/proc/{pid}/net/{name}").read_text().split("\n")[1:]
    ]
    return {
        row[1].partition(":")[0] for row in rows if row and row[3] == "0A" and f"socket:[{row[9]}]" in sockets
    }


def _run_by(runtime: RuntimeType, url: str) -> str:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as zipped:
        zipped.writestr("shown.py", "import os\ndef handler(*_): return os.environ.get('RUN_BY')\n")
    iam = boto3.client("iam", endpoint_url=url)
    role = iam.create_role(RoleName="function", AssumeRolePolicyDocument=TRUST)
    clients.lambda_client().create_function(
        FunctionName="shows-its-python",
        Runtime=runtime,
        Role=role["Role"]["Arn"],
        Handler="shown.handler",
        Code={"ZipFile": code.getvalue()},
    )
    return (
        clients.lambda_client_long_timeout()
        .invoke(FunctionName="shows-its-python")["Payload"]
        .read()
        .decode()
    )


class TestEmulator:
    def test_listens_on_this_machine_only(self, own_emulator: Emulator) -> None:
        assert own_emulator._process is not None
        assert _listeners(own_emulator._process.pid) == {"0100007F"}

    def test_keeps_what_it_holds_over_a_stop_and_start(self, own_emulator: Emulator) -> None:
        clients.s3().create_bucket(Bucket="kept")
        clients.s3().put_object(Bucket="kept", Key="file", Body=b"content")
        own_emulator.stop()
        assert not answers(f"{own_emulator.url}/_ministack/health")
        own_emulator.start()
        assert clients.s3().get_object(Bucket="kept", Key="file")["Body"].read() == b"content"

    def test_keeps_what_it_confirmed_when_it_is_killed(self, own_emulator: Emulator) -> None:
        clients.secrets_manager().create_secret(Name="kept", SecretString="content")
        assert own_emulator._process is not None
        own_emulator._process.kill()
        own_emulator.wait()
        own_emulator.start()
        assert clients.secrets_manager().get_secret_value(SecretId="kept")["SecretString"] == "content"

    def test_ends_with_a_killed_parent_and_loses_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        emulated = Emulator(tmp_path, free_port())
        monkeypatch.setenv("AWS_ENDPOINT_URL", emulated.url)
        clients.forget_clients()
        command = [sys.executable, "-c", PARENT, str(tmp_path), str(emulated.port)]
        with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE) as parent:
            assert parent.stdout is not None
            assert parent.stdout.readline() == b"up\n"
            clients.dynamodb().create_table(
                TableName="kept",
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
            parent.kill()
        assert wait_until(lambda: not processes_of(tmp_path))
        emulated.start()
        assert clients.dynamodb().list_tables()["TableNames"] == ["kept"]
        emulated.stop()
        clients.forget_clients()

    def test_runs_functions_with_the_interpreter_that_it_is_given(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        python = tmp_path / "python"
        python.write_text(f'#!/bin/sh\nRUN_BY=another exec {emulator.PYTHON} "$@"\n')
        python.chmod(0o755)
        emulated = Emulator(tmp_path / "aws", free_port(), function_python=python)
        monkeypatch.setenv("AWS_ENDPOINT_URL", emulated.url)
        clients.forget_clients()
        emulated.start()
        try:
            assert _run_by("python3.13", emulated.url) == '"another"'
        finally:
            emulated.stop()
            clients.forget_clients()

    def test_says_in_one_sentence_why_it_did_not_start(self, own_emulator: Emulator, tmp_path: Path) -> None:
        second = Emulator(tmp_path / "second", own_emulator.port)
        with pytest.raises(DevstackError, match=r"^Cannot start the embedded AWS: .+emulator\.log\)$"):
            second.start()

    def test_names_the_command_that_installs_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(emulator, "PYTHON", tmp_path / "python")
        with pytest.raises(DevstackError, match="make install"):
            Emulator(tmp_path, 1).start()


class TestLauncher:
    def test_refuses_a_ministack_whose_faults_lie_elsewhere(self, tmp_path: Path) -> None:
        name = "'_gone_in_the_next_version'"
        code = f"import ministack_launcher as launcher; launcher.mend(launcher.cognito, {name}, None)"
        ended = subprocess.run(
            [emulator.PYTHON, "-c", code],
            cwd=emulator.LAUNCHER.parent,
            env={"GATEWAY_PORT": "1", "TMPDIR": str(tmp_path)},
            check=False,
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 1
        assert "has no ministack.services.cognito._gone_in_the_next_version" in ended.stderr


class TestFreePort:
    def test_is_the_preferred_one_if_it_can_be_had(self) -> None:
        port = free_port()
        assert free_port(port) == port

    def test_is_another_if_not(self) -> None:
        with socket.socket() as occupied:
            occupied.bind((emulator.HOST, 0))
            occupied.listen()
            assert free_port(occupied.getsockname()[1]) not in {0, occupied.getsockname()[1]}
