"""moto's server, the second emulator of AWS, in an environment of its own (requirements/moto.in)."""

import sys
from collections.abc import Sequence
from pathlib import Path

from apps.deployment.paths import BUILD
from apps.devstack import processes
from apps.devstack.emulator import HOST, free_port

PYTHON = BUILD / "moto" / "bin" / "python"
COMPLETED = (Path(__file__).with_name("moto_launcher.py"),)
ALONE = ("-m", "moto.server")


class MotoServer(processes.Server):
    """
    An empty account that moto plays; a context manager.

    :param folder: for its log and the code of functions
    :param program: what its Python runs, COMPLETED or ALONE
    """

    name = "moto's server"
    ready = b"Running on"

    def __init__(self, folder: Path, program: Sequence[str | Path] = COMPLETED) -> None:
        self.log = folder / "moto.log"
        self._folder = folder
        self._program = program
        self._port = free_port()

    @property
    def url(self) -> str:
        """What AWS_ENDPOINT_URL must say."""
        return f"http://{HOST}:{self._port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        environment = {
            "PATH": "/usr/bin:/bin",
            "TMPDIR": str(self._folder),
            "FUNCTION_PYTHON": sys.executable,
            "MOTO_LAMBDA_CONCURRENCY_QUOTA": "1000",
        }
        command = [PYTHON, *self._program, "--host", HOST, "--port", str(self._port)]
        self._start(command, environment=environment)
