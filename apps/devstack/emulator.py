"""
Starts the embedded AWS: MiniStack in its own Python environment (docs/adr/0003-embedded-aws.md).

It enforces IAM (`AUTH=true`), so missing permissions of a role fail here too. It keeps its data. It does not
get the developer's environment variables, because its functions would inherit them.
"""

import shutil
import socket
import sys
from contextlib import suppress
from pathlib import Path

from apps.devstack import processes
from apps.devstack.errors import DevstackError

HOST = "127.0.0.1"
LAUNCHER = Path(__file__).with_name("emulator_patches.py")
PYTHON = Path(sys.prefix) / "emulator" / "bin" / "python"


class Emulator(processes.Server):
    """
    An embedded AWS with its own folder.

    :param folder: the folder of its data and its log
    :param port: its port on the loopback address
    :param durable: whether it saves its data
    :param function_python: the interpreter for Lambda functions, by default the emulator's
    :param launcher: the script that its Python runs. Tests use one with more patches
    """

    name = "the embedded AWS"
    ready = b"Running on"

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
        self._launcher = launcher
        self._variables = {
            "PATH": "/usr/bin:/bin",
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(port),
            "AUTH": "true",
            "MINISTACK_COGNITO_PRETOKEN_STRICT": "1",
            "PERSIST_STATE": str(int(durable)),
            "STATE_DIR": str(folder / "state"),
            "S3_PERSIST": str(int(durable)),
            "S3_DATA_DIR": str(folder / "s3"),
            "LAMBDA_EXECUTOR": "local",
            # These two servers would listen on every address of the machine.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
        }
        if function_python:
            self._variables["FUNCTION_PYTHON"] = str(function_python)

    @property
    def url(self) -> str:
        """The value for AWS_ENDPOINT_URL."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Start the emulator and wait until it answers."""
        if not PYTHON.exists():
            raise DevstackError("The embedded AWS is not installed. Run `make install`.")
        scratch = self.folder / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)  # old code folders of its functions
        scratch.mkdir(parents=True)
        self._start([PYTHON, self._launcher], environment=self._variables | {"TMPDIR": str(scratch)})


def free_port(preferred: int = 0) -> int:
    """Return a free port of the loopback address, the preferred one if possible."""
    for port in (preferred, 0):
        with suppress(OSError), socket.create_server((HOST, port)) as listener:
            return int(listener.getsockname()[1])
    raise DevstackError("No port of the loopback address is free.")
