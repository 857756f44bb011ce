"""The CloudFormation stack of the laptop: the project's own template, deployed as a stage's is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.deployment.aws import stack_updates
from apps.deployment.errors import StageError
from apps.devstack.environment import PROJECT
from apps.devstack.errors import DevstackError

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "moped-laptop"
TEMPLATE = PROJECT / "infrastructure" / "moped-api.yaml"


def outputs() -> dict[str, str]:
    """Return what the stack made; nothing if there is none."""
    return stack_updates.outputs(NAME)


def deploy(parameters: Mapping[str, str]) -> dict[str, str]:
    """
    Create or update the stack, or leave it as it is, and return its outputs.

    :raises DevstackError: if CloudFormation refuses, with the first reason it gives
    """
    try:
        stack_updates.create_or_update(NAME, TEMPLATE, parameters)
    except StageError as error:
        raise DevstackError(str(error)) from error
    return outputs()
