"""`make run` with data of its own, as a developer with a bare shell types it."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from apps.devstack import processes
from apps.devstack.emulator import free_port
from apps.devstack.environment import PROJECT
from tests.support.processes import answers, processes_of
from tests.support.waiting import LIMIT_SECONDS, wait_until

CSRF_FIELD = re.compile('name="csrfmiddlewaretoken" value="(.*?)"')


class Laptop:
    """
    A laptop with nothing but a clone.

    :param data: the folder of its data
    :param folder: the clone
    """

    def __init__(self, data: Path, folder: Path = PROJECT) -> None:
        self.data = data
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data / "output.txt"
        inherited = {name: value for name, value in os.environ.items() if name.startswith(("PATH", "COV"))}
        self.variables = inherited | {"MOPED_DEVSTACK_FOLDER": str(data), "PYTHONUNBUFFERED": "1"}
        # Laptops that start at once do not race for one port of the emulator.
        emulator = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}"}
        (data / "variables.json").write_text(json.dumps(emulator))

    def manage(self, *arguments: str, code: int = 0) -> str:
        """Return what a command prints. It must end with this code."""
        run = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=self.folder,
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert run.returncode == code, run.stdout
        return run.stdout.rstrip("\n")

    @contextmanager
    def running(self, *options: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
        """Serve until the end of the block, however it ends."""
        command = [sys.executable, "manage.py", "runserver", str(self.port), *options]
        with (
            self.log.open("w") as output,
            subprocess.Popen(
                [*processes.parent_death_prefix(signal.SIGTERM), *command],
                cwd=self.folder,
                env=self.variables | variables,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
            ) as process,
        ):
            try:
                assert wait_until(lambda: answers(self.url) or process.poll() is not None)
                assert process.poll() is None, self.printed()
                yield process
            finally:
                process.terminate()

    def printed(self) -> str:
        """Return what the server has printed."""
        return self.log.read_text()

    def token(self, persona: str) -> str:
        """Return the token of a persona, from the switch that a laptop's pages have."""
        browser = requests.Session()
        page = browser.get(self.url, headers={"Accept": "text/html"}, timeout=LIMIT_SECONDS)
        fields = {"csrfmiddlewaretoken": CSRF_FIELD.findall(page.text)[0], "persona": persona}
        origin = {"Origin": self.url}
        answer = browser.post(f"{self.url}/act-as", fields, headers=origin, timeout=LIMIT_SECONDS)
        assert answer.ok, answer.text
        return str(browser.cookies["moped_id_token"])

    @property
    def is_empty(self) -> bool:
        """Whether no process is left that was given this folder."""
        return wait_until(lambda: not processes_of(self.data))
