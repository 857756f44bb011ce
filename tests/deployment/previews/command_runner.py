"""
Types commands of manage.py, each in a process of its own that can be killed.

It has imported everything once and forks for each command: a command costs what AWS takes, not
the two seconds in which Python starts. One line of JSON in, `pid` out, `exit status` out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from apps.deployment.paths import PROJECT
from apps.devstack import environment as laptop
from tests.support import no_coverage_env
from tests.support.waiting import LIMIT_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deployment.previews.fault_proxy import Plan, Wire

KILLED = -9


@dataclass(frozen=True)
class Typed:
    """What came of a command."""

    words: tuple[str, ...]
    code: int
    out: str
    error: str
    plan: Plan

    @property
    def was_cut_off(self) -> bool:
        """Tell whether it was killed."""
        return self.code == KILLED

    @property
    def result(self) -> dict[str, Any]:
        """Return the object that it printed."""
        return dict(json.loads(self.out))


class Typist:
    """
    A process that forks commands.

    :param wire: what its commands reach AWS through
    :param folder: where they write
    """

    def __init__(self, wire: Wire, folder: Path) -> None:
        self._wire = wire
        self._folder = folder

    def __enter__(self) -> Self:
        """Start it and wait until it has imported everything."""
        self.begin()
        assert self._read() == "ready"
        return self

    def begin(self) -> None:
        """Start it; several may start at the same time."""
        if hasattr(self, "_process"):
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        variables = no_coverage_env.environment()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.deployment.previews.command_runner"],
            cwd=PROJECT,
            env={
                **variables,
                **laptop.EMULATOR_CREDENTIALS,
                **laptop.NO_OTHER_AWS,
                "AWS_ENDPOINT_URL": self._wire.url,
                "AWS_DEFAULT_REGION": laptop.REGION,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __exit__(self, *_error: object) -> None:
        """End it."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(LIMIT_SECONDS)
        self._process.stdout.close()

    def type(self, plan: Plan, *words: str) -> Typed:
        """Type one command, with what shall happen to it, and return what came of it."""
        out, error = self._folder / "out", self._folder / "error"
        self._wire.plan = plan
        assert self._process.stdin
        self._process.stdin.write(json.dumps([list(words), str(out), str(error)]) + "\n")
        self._process.stdin.flush()
        plan.begun(int(self._read()))
        code = int(self._read())
        return Typed(words, code, out.read_text(), error.read_text(), plan)

    def _read(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()


def main() -> None:
    """Import, then fork for each line."""
    from apps.deployment import environment  # noqa: PLC0415 (what follows reads the environment it makes)

    os.environ["DJANGO_SETTINGS_MODULE"] = "moped_api.settings"
    environment.apply()
    import django  # noqa: PLC0415

    django.setup()
    _warm_up()
    _say("ready")
    for line in sys.stdin:
        words, out, error = json.loads(line)
        child = os.fork()
        if not child:
            _become(words, out, error)
        _say(child)
        _say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def _warm_up() -> None:
    from apps.core.aws import clients  # noqa: PLC0415
    from apps.deployment.management.commands import preview, stage  # noqa: PLC0415

    assert preview, stage
    for client in clients.CACHED:
        if client is not clients.post_policy_signer:
            client()


def _become(words: list[str], out: str, error: str) -> None:
    sys.stdin = open(os.devnull)  # noqa: SIM115, PTH123 (until the process ends)
    sys.stdout, sys.stderr = open(out, "w"), open(error, "w")  # noqa: SIM115, PTH123
    code = _run(["manage.py", *words])
    with suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _run(words: list[str]) -> int:
    from django.core.management import execute_from_command_line  # noqa: PLC0415

    try:
        execute_from_command_line(words)
    except SystemExit as end:
        return int(end.code or 0)
    except BaseException:  # noqa: BLE001 (as Python itself ends)
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    main()
