"""Zappa, run as an operator would, with the settings that were rendered for one stage."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from apps.deployment import subprocesses
from apps.deployment.paths import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

    from apps.deployment.settings.rendering import Stage


def run(stage: Stage, command: str, *options: str | Path) -> str:
    """
    Run one of Zappa's commands and return what it printed.

    :raises StageError: with the last message of Zappa
    """
    return subprocesses.run(
        [sys.executable, "-m", "zappa.cli", command, stage.name, "-s", stage.path, *options],
        doing=f"{command} {stage.name}",
        folder=PROJECT,
    )
