"""The environment that stands for Lambda's own: the runtime client and boto3, nothing of ours."""

import fcntl
import hashlib
from pathlib import Path

from apps.deployment import subprocesses
from apps.deployment.package import interpreter
from apps.deployment.package.interpreter import UV, target_of_file
from apps.deployment.paths import BUILD, REQUIREMENTS

LOCK = REQUIREMENTS / "rehearsal.txt"
LOCKED = ("--require-hashes", "-r", LOCK)
ENVIRONMENT = BUILD / "rehearsal"


def python() -> Path:
    """
    Return its interpreter, after making the environment again if its lock or the runtime changed.

    :raises StageError: if this machine has no Python of the stages' runtime
    """
    stamp, runtime = ENVIRONMENT / "installed", interpreter.find(target_of_file().python)
    digest = hashlib.sha256(interpreter.build_of(runtime).encode() + LOCK.read_bytes()).hexdigest()
    BUILD.mkdir(exist_ok=True)
    with ENVIRONMENT.with_suffix(".lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # another worker, or the rehearsal beside the tests, waits
        if not (stamp.is_file() and stamp.read_text(encoding="ascii") == digest):
            _install(runtime)
            stamp.write_text(digest, encoding="ascii")
    return ENVIRONMENT / "bin" / "python"


def _install(runtime: Path) -> None:
    subprocesses.run(
        [*UV, "venv", "--quiet", "--clear", "--python", runtime, ENVIRONMENT],
        doing="make an environment for Lambda's runtime client",
    )
    subprocesses.run(
        [*UV, "pip", "install", "-q", "--compile-bytecode", "--python", ENVIRONMENT, *LOCKED],
        doing="install requirements/rehearsal.txt",
    )
