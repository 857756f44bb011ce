"""
The settings that Zappa is given: one stage, flattened, completed with the outputs of its stack.

They have names, and values that the account decides. They have no secret.
"""

from dataclasses import dataclass
from typing import Any

from apps.deployment.aws import stack
from apps.deployment.errors import StageError
from apps.deployment.settings import checks, variables, zappa_settings
from apps.deployment.settings.zappa_settings import Settings

# The argument of commands with which a rehearsal changes the settings of a stage.
OVERLAY: Settings = {
    "type": zappa_settings.read_argument,
    "default": {},
    "help": "JSON to lay over the settings (rehearsals)",
}


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage, ready for Zappa."""

    name: str
    function: str
    settings: Settings
    outputs: dict[str, str]

    @property
    def own(self) -> dict[str, Any]:
        """Return the part of its settings that is ours."""
        return dict(self.settings["moped"])


def render(
    name: str,
    *,
    commit: str = "unknown",
    changes: Settings | None = None,
    document: dict[str, Settings] | None = None,
) -> Stage:
    """
    Check a stage's settings and complete them with the outputs of its stack.

    :param changes: laid over the settings (a rehearsal's variables)
    :param document: zappa_settings.json, if the caller has it already (with the entry of a preview)
    :raises StageError: if there is no such stage, it breaks a rule, or its stack is not complete
    """
    document = document or zappa_settings.read()
    entry = zappa_settings.flattened(document, name)
    if issues := [*checks.of_file(document), *checks.of_stage(name, entry)]:
        raise StageError(f"{issues[0].msg} {issues[0].hint}.")
    settings = zappa_settings.merged(entry, changes or {})
    outputs = stack.outputs(settings["moped"]["stack"], settings["moped"].get("outputs"))
    complete = zappa_settings.merged(_completion(name, commit, outputs), settings)
    return Stage(name, zappa_settings.function_name(complete, name), complete, outputs)


def _completion(name: str, commit: str, outputs: dict[str, str]) -> Settings:
    about = {"MOPED_API_CURRENT_ENVIRONMENT": name, "MOPED_API_COMMIT": commit}
    return {
        "architecture": "x86_64",  # Zappa's default
        "role_arn": outputs["FunctionRoleArn"],
        "s3_bucket": outputs["DeploymentBucket"],
        "tags": {"commit": commit},
        "aws_environment_variables": {**variables.from_outputs(outputs), **about},
        **_network(outputs),
    }


def _network(outputs: dict[str, str]) -> Settings:
    """Return the network of the function, if it has one."""
    if not outputs.get("SubnetIds"):
        return {}
    return {
        "vpc_config": {
            "SubnetIds": outputs["SubnetIds"].split(","),
            "SecurityGroupIds": outputs["SecurityGroupIds"].split(","),
        }
    }
