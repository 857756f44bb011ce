"""
The complete settings of one stage: its flattened entry with the outputs of its stack.

They contain names and values of the AWS account, but no secrets.
"""

from dataclasses import dataclass
from typing import Any

from apps.deployment.aws import stack
from apps.deployment.errors import StageError
from apps.deployment.settings import checks, variables, zappa_settings
from apps.deployment.settings.zappa_settings import Settings

# The option of commands that lets a rehearsal change a stage's settings.
OVERLAY: Settings = {
    "type": zappa_settings.read_argument,
    "default": {},
    "help": "JSON to lay over the settings (rehearsals)",
}


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage with its complete settings."""

    name: str
    function: str
    settings: Settings
    outputs: dict[str, str]

    @property
    def own(self) -> dict[str, Any]:
        """Return the settings under `moped`, which Zappa ignores."""
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

    :param changes: settings that override the file's (a rehearsal's variables)
    :param document: the content of zappa_settings.json, if the caller has added the entry of a preview
    :raises StageError: if the stage does not exist, breaks a rule, or has an incomplete stack
    """
    document = document or zappa_settings.read()
    entry = zappa_settings.flatten(document, name)
    if issues := [*checks.check_file(document), *checks.check_stage(name, entry)]:
        raise StageError(f"{issues[0].msg} {issues[0].hint}.")
    settings = zappa_settings.merge(entry, changes or {})
    outputs = stack.outputs(settings["moped"]["stack"], settings["moped"].get("outputs"))
    complete = zappa_settings.merge(_completion(name, commit, outputs), settings)
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
    """Return the settings of the function's network, or nothing without a network."""
    if not outputs.get("SubnetIds"):
        return {}
    return {
        "vpc_config": {
            "SubnetIds": outputs["SubnetIds"].split(","),
            "SecurityGroupIds": outputs["SecurityGroupIds"].split(","),
        }
    }
