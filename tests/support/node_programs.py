"""The programs of requirements/node, which `make check` installs."""

import os
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from tests.support import processes

MODULES: Path = settings.BASE_DIR / ".build/npm/node_modules"
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}


def run(folder: Path, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder. If it is missing, the test fails and names the command that installs it."""
    path = MODULES / ".bin" / program
    if not path.exists():
        pytest.fail(f"{program} is missing. Run `make node`.")
    return processes.run(path, *arguments, folder=folder, environment=os.environ | QUIET)
