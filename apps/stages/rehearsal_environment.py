"""The environment that stands for Lambda's own: the runtime client and boto3, nothing of ours."""

from __future__ import annotations

import hashlib
import sys
from typing import TYPE_CHECKING

from apps.stages import programs
from apps.stages.paths import BUILD, REQUIREMENTS

if TYPE_CHECKING:
    from pathlib import Path

LOCK = REQUIREMENTS / "rehearsal.txt"
ENVIRONMENT = BUILD / "rehearsal"


def python() -> Path:
    """Return its interpreter; the environment is made, or made anew, if its lock changed."""
    stamp = ENVIRONMENT / "installed"
    wanted = hashlib.sha256(sys.version.encode() + LOCK.read_bytes()).hexdigest()
    if not (stamp.is_file() and stamp.read_text(encoding="ascii") == wanted):
        uv = [sys.executable, "-m", "uv"]
        programs.run(
            [*uv, "venv", "--quiet", "--clear", "--python", sys.executable, ENVIRONMENT],
            doing="make an environment for Lambda's runtime client",
        )
        programs.run(
            [*uv, "pip", "install", "--quiet", "--python", ENVIRONMENT, "--require-hashes", "-r", LOCK],
            doing="install requirements/rehearsal.txt",
        )
        stamp.write_text(wanted, encoding="ascii")
    return ENVIRONMENT / "bin" / "python"
