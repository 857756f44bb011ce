"""The CloudFormation stack of the laptop: the project's own template, deployed as a stage's is."""

from collections.abc import Mapping

from apps.deployment.aws import stack_updates
from apps.deployment.paths import TEMPLATE

NAME = "moped-laptop"


def outputs() -> dict[str, str]:
    """Return the outputs of the stack; none if there is no stack."""
    return stack_updates.outputs(NAME)


def deploy(parameters: Mapping[str, str]) -> dict[str, str]:
    """Create or update the stack and return its outputs."""
    stack_updates.create_or_update(NAME, TEMPLATE, parameters)
    return outputs()
