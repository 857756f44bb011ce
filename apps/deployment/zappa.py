"""Zappa, run as an operator would, with the settings that were rendered for one stage."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from apps.deployment import subprocesses
from apps.deployment.paths import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

    from apps.deployment.settings.rendering import Stage


def deploy(stage: Stage, package: Path) -> None:
    """
    Make the function and what stands before it.

    :raises StageError: with Zappa's last words
    """
    _run(stage, "deploy", "-z", package, doing="make")


def update(stage: Stage, package: Path) -> None:
    """
    Give the function another package and other variables; traffic does not notice.

    :raises StageError: with Zappa's last words
    """
    _run(stage, "update", "-z", package, doing="update")


def undeploy(stage: Stage) -> None:
    """
    Remove the function and what stands before it.

    :raises StageError: with Zappa's last words
    """
    logs = [] if stage.has_log_of_its_stack else ["--remove-logs"]
    _run(stage, "undeploy", "-y", *logs, doing="remove")


def tail(stage: Stage, since: str) -> str:
    """
    Return the function's log.

    :raises StageError: with Zappa's last words
    """
    return _run(stage, "tail", "--since", since, "--disable-keep-open", doing="read the log of")


def _run(stage: Stage, command: str, *options: str | Path, doing: str) -> str:
    return subprocesses.run(
        [sys.executable, "-m", "zappa.cli", command, stage.name, "-s", stage.path, *options],
        doing=f"{doing} {stage.name}",
        folder=PROJECT,
    )
