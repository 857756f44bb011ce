"""
A package in Lambda's own runtime client, on this machine.

`awslambdaric` is what Lambda runs inside; the other side of its conversation, the Runtime API, is
spoken here: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. The process sees an
environment of its own, the unpacked package in a folder that it cannot write, and beside it only
what Lambda's runtime supplies. A failed INIT, an unhandled error and the cold start look as there.
"""

import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from apps.deployment.errors import StageError
from apps.deployment.paths import BUILD
from tests.support.http_stub import Request, StubServer

HANDLER = "moped_api.lambda_handler.lambda_handler"
FUNCTION_ARN = "arn:aws:lambda:us-east-1:123456789012:function:moped-api-rehearsal"
ANSWER_SECONDS = 30.0
PYTHON = BUILD / "rehearsal" / "bin" / "python"  # with the runtime client and boto3, and nothing of ours


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an event, or of the start: a result, or an error as the runtime reports it."""

    result: Any = None
    error: dict[str, Any] = field(default_factory=dict)


class _RuntimeApi(StubServer):
    """The Runtime API's side: events out, outcomes in."""

    def __init__(self) -> None:
        super().__init__(self._converse)
        self.events: queue.Queue[bytes] = queue.Queue()
        self.outcomes: queue.Queue[Outcome] = queue.Queue()
        self.initialized = threading.Event()

    def _converse(self, request: Request) -> None:
        """Take a result, or an error of an event or of INIT. Else hand out the next event."""
        if request.command == "POST":
            body = json.loads(request.body or b"null")
            failed = request.path.endswith("/error")
            self.outcomes.put(Outcome(error=body) if failed else Outcome(result=body))
            request.answer(b"", 202)
            return
        self.initialized.set()  # the runtime client waits for the event
        event = self.events.get()
        request.answer(
            event,
            Lambda_Runtime_Aws_Request_Id=f"rehearsal-{time.monotonic_ns()}",
            Lambda_Runtime_Deadline_Ms=str(int((time.time() + ANSWER_SECONDS) * 1000)),
            Lambda_Runtime_Invoked_Function_Arn=FUNCTION_ARN,
            Content_Type="application/json",
        )


class Function:
    """
    One running copy of a package; a context manager.

    :param python: the interpreter of an environment that holds what Lambda's runtime supplies
    :param folder: the unpacked package, see `unpacked`
    :param variables: the function's environment variables
    :param handler: what Lambda calls
    """

    def __init__(
        self, python: Path, folder: Path, variables: Mapping[str, str], handler: str = HANDLER
    ) -> None:
        self._command = [str(python), "-m", "awslambdaric", handler]
        self._folder = folder
        self._variables = dict(variables)
        self._api = _RuntimeApi()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (closed on leaving)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it; INIT begins."""
        self._api.__enter__()
        self._process = subprocess.Popen(
            self._command,
            cwd=self._folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        return self

    def __exit__(self, *_error: object) -> None:
        """End it."""
        assert self._process is not None
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._api.__exit__()
        self._log.close()

    def wait_for_init(self) -> None:
        """Wait until INIT is over: the runtime client asks for the first event."""
        self._api.initialized.wait(ANSWER_SECONDS)

    def invoke(self, event: Mapping[str, Any]) -> Outcome:
        """
        Send an event and return what came of it.

        :raises StageError: if the process ended, or did not answer in time
        """
        self._api.events.put(json.dumps(event).encode())
        deadline = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < deadline:
            try:
                return self._api.outcomes.get(timeout=0.5)
            except queue.Empty:
                if self._ended():
                    raise StageError(f"The function ended by itself. It said: {self.log()[-2000:]}") from None
        raise StageError(f"The function did not answer within {ANSWER_SECONDS:.0f} seconds.")

    def log(self) -> str:
        """Return what it has written so far."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def cpu_seconds(self) -> float:
        """Return the CPU time it has used so far."""
        assert self._process is not None
        fields = (
            Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        )
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_memory_bytes(self) -> int:
        """Return the most memory it has held resident so far."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024

    def _ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None and self._api.outcomes.empty()

    def _environment(self) -> dict[str, str]:
        host, port = self._api.server_address[:2]
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "LAMBDA_TASK_ROOT": str(self._folder),
            "AWS_LAMBDA_RUNTIME_API": f"{host!s}:{port}",
            "AWS_LAMBDA_FUNCTION_NAME": FUNCTION_ARN.rpartition(":")[2],
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "PYTHONDONTWRITEBYTECODE": "1",  # /var/task cannot be written; here root could
            **self._variables,
        }


def python() -> Path:
    """
    Return the interpreter of the environment that stands for Lambda's own.

    :raises StageError: if it is not installed, or its Python was removed
    """
    if not PYTHON.exists():
        raise StageError("Lambda's environment is not installed. Run: make -B .build/rehearsal/installed")
    return PYTHON


def unpacked(package: Path, folder: Path) -> Path:
    """Unpack a package as Lambda does, readable for all users and writable for none."""
    with zipfile.ZipFile(package) as zipped:
        zipped.extractall(folder)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() or ".so" in path.suffixes else 0o444)
    return folder
