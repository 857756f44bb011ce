"""`make run` in a folder of its own, as a developer with a bare shell types it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from apps.devstack import processes
from apps.devstack.environment import PROJECT
from tests.devstack.processes import answers, processes_of
from tests.support.waiting import LIMIT_SECONDS, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Laptop:
    """
    A laptop with nothing but a clone.

    :param folder: where its data lies
    :param port: where its API listens
    """

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.url = f"http://127.0.0.1:{port}/"

    def manage(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Start a command; it ends with the test, however that ends."""
        inherited = {name: value for name, value in os.environ.items() if name.startswith(("PATH", "COV"))}
        return subprocess.Popen(
            [*processes.tied_to_parent(signal.SIGTERM), sys.executable, "manage.py", *arguments],
            cwd=PROJECT,
            env={
                **inherited,
                "MOPED_DEVSTACK_FOLDER": str(self.folder),
                "PYTHONUNBUFFERED": "1",
                **variables,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )

    def output(self, *arguments: str, **variables: str) -> tuple[int, str]:
        """Run a command to its end, and return its exit code and what it said."""
        with self.manage(*arguments, **variables) as process:
            text, _ = process.communicate(timeout=LIMIT_SECONDS)
        return process.returncode, text

    @contextmanager
    def running(self, *options: str) -> Iterator[subprocess.Popen[str]]:
        """Serve until the end of the block, however it ends."""
        with self.manage("runserver", str(self.port), *options) as process:
            try:
                assert wait_until(lambda: answers(self.url) or process.poll() is not None)
                assert process.poll() is None, process.communicate()[0]
                yield process
            finally:
                process.terminate()

    @property
    def is_empty(self) -> bool:
        """Whether no process is left that was given this folder."""
        return wait_until(lambda: not processes_of(self.folder))
