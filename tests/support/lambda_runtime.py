"""
A package in Lambda's own runtime client, on this machine.

`awslambdaric` is what Lambda runs inside; the other side of its conversation, the Runtime API, is
spoken here: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. The process sees an
environment of its own, the unpacked package in a folder that it cannot write, and beside it only
what Lambda's runtime supplies. A failed INIT, an unhandled error and the cold start look as there.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
import time
import zipfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from apps.deployment.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

HANDLER = "moped_api.lambda_handler.lambda_handler"
FUNCTION_ARN = "arn:aws:lambda:us-east-1:123456789012:function:moped-api-rehearsal"
ANSWER_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an event, or of the start: a result, or an error as the runtime reports it."""

    result: Any = None
    error: dict[str, Any] = field(default_factory=dict)


class _Conversation(ThreadingHTTPServer):
    """The Runtime API's side: events out, outcomes in."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _RuntimeApi)
        self.events: queue.Queue[bytes] = queue.Queue()
        self.outcomes: queue.Queue[Outcome] = queue.Queue()
        self.initialized = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a function that was ended in mid-conversation."""


class _RuntimeApi(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave together, or delayed acknowledgements would be measured
    server: _Conversation

    def do_GET(self) -> None:
        """Hand out the next event; the runtime client waits for it."""
        self.server.initialized.set()
        event = self.server.events.get()
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", f"rehearsal-{time.monotonic_ns()}")
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + ANSWER_SECONDS) * 1000)))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", FUNCTION_ARN)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(event)))
        self.end_headers()
        self.wfile.write(event)

    def do_POST(self) -> None:
        """Take a result, or an error of an event or of INIT."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"null")
        failed = self.path.endswith("/error")
        self.server.outcomes.put(Outcome(error=body) if failed else Outcome(result=body))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server's name)
        """Say nothing."""


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
        self._api = _Conversation()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (closed on leaving)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it; INIT begins."""
        threading.Thread(target=self._api.serve_forever, args=(0.01,), daemon=True).start()
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

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        assert self._process is not None
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._api.shutdown()
        self._api.server_close()
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


def unpacked(package: Path, folder: Path) -> Path:
    """Unpack a package as Lambda does, readable for all users and writable for none."""
    with zipfile.ZipFile(package) as zipped:
        zipped.extractall(folder)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() or ".so" in path.suffixes else 0o444)
    return folder
