"""
The embedded AWS: MiniStack, in an environment of its own, started by us (docs/adr/0003-embedded-aws.md).

It enforces IAM (`AUTH=true`), so what a role may not do fails here too; it saves what it holds when
it is stopped; and it hears nothing of the developer's own environment, which its functions inherit.
"""

from __future__ import annotations

import shutil
import signal
import socket
import sys
import urllib.request
from http.client import HTTPException
from pathlib import Path

from apps.devstack import processes
from apps.devstack.errors import DevstackError

HOST = "127.0.0.1"
LAUNCHER = Path(__file__).with_name("ministack_launcher.py")
PYTHON = Path(sys.prefix) / "emulator" / "bin" / "python"


class Emulator(processes.Server):
    """
    One embedded AWS with a folder of its own.

    :param folder: where it keeps what it holds, and its log
    :param port: where it listens, on the loopback address only
    :param durable: whether what it holds outlives it
    :param function_python: the interpreter that runs Lambda functions; by default the emulator's own
    :param launcher: what its Python runs; tests complete our own
    """

    name = "the embedded AWS"
    stop_signal = signal.SIGTERM  # it saves, then ends

    def __init__(
        self,
        folder: Path,
        port: int,
        *,
        durable: bool = True,
        function_python: Path | None = None,
        launcher: Path = LAUNCHER,
    ) -> None:
        self.folder = folder
        self.port = port
        self.log = folder / "emulator.log"
        self._durable = durable
        self._function_python = function_python
        self._launcher = launcher

    @property
    def url(self) -> str:
        """What AWS_ENDPOINT_URL must say."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """
        Start it and wait until it answers.

        :raises DevstackError: if it is not installed or does not come up, with its last words
        """
        if not PYTHON.exists():
            raise DevstackError("The embedded AWS is not installed. Run `make install`.")
        scratch = self._fresh_scratch()
        self._start([PYTHON, self._launcher], environment=self._environment(scratch))

    def _fresh_scratch(self) -> Path:
        # It leaves the code folders of its functions behind.
        scratch = self.folder / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        return scratch

    def _environment(self, scratch: Path) -> dict[str, str]:
        durable = "1" if self._durable else "0"
        functions = {"FUNCTION_PYTHON": str(self._function_python)} if self._function_python else {}
        return {
            **functions,
            "PATH": "/usr/bin:/bin",
            "TMPDIR": str(scratch),
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(self.port),
            "AUTH": "true",
            "MINISTACK_COGNITO_PRETOKEN_STRICT": "1",
            "PERSIST_STATE": durable,
            "STATE_DIR": str(self.folder / "state"),
            "S3_PERSIST": durable,
            "S3_DATA_DIR": str(self.folder / "s3"),
            "LAMBDA_EXECUTOR": "local",
            # These two would listen on every address of the machine.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
        }

    def _is_ready(self, pid: int) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_directory/process", timeout=10) as response:  # noqa: S310
                return bool(response.read().decode() == str(pid))
        except (OSError, HTTPException):
            return False


def free_port(preferred: int = 0) -> int:
    """Return a port of the loopback address that is free: the preferred one if possible."""
    for port in (preferred, 0):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((HOST, port))
            except OSError:
                continue
            return int(listener.getsockname()[1])
    raise DevstackError("No port of the loopback address is free.")
