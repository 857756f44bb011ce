"""Zappa, run as an operator would, with the settings of one stage."""

import json
import sys
import tempfile
from pathlib import Path

from apps.deployment import subprocesses
from apps.deployment.paths import PROJECT
from apps.deployment.settings.rendering import Stage


def run(stage: Stage, command: str, *options: str | Path) -> str:
    """
    Run one of Zappa's commands and return what it printed.

    :raises StageError: with the last message of Zappa
    """
    with tempfile.NamedTemporaryFile("w", prefix=f"{stage.name}-", suffix=".json") as settings:
        json.dump({stage.name: stage.settings}, settings)
        settings.flush()
        return subprocesses.run(
            [sys.executable, "-m", "zappa.cli", command, stage.name, "-s", settings.name, *options],
            doing=f"{command} {stage.name}",
            folder=PROJECT,
        )
