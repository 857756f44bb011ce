"""The CloudFormation stack of a stage: its outputs, its secrets and its user pool's trigger."""

import json
from collections.abc import Mapping
from contextlib import suppress

from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.core.errors import NotFoundError
from apps.deployment.aws import stack_updates
from apps.deployment.errors import StageError
from apps.deployment.settings.variables import VARIABLES

# CloudFormation requires a resource. This one creates nothing in AWS.
EMPTY_TEMPLATE = json.dumps({"Resources": {"Nothing": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}})
OPTIONAL_OUTPUTS = {"DatabaseSecret"}
REQUIRED_OUTPUTS = (
    *sorted({variable.output for variable in VARIABLES} - OPTIONAL_OUTPUTS - {""}),
    "FunctionRoleArn",
    "DeploymentBucket",
    "SmokeSecret",
    "ReconciliationFunction",
    "ReconciliationRoleArn",
)


def outputs(stack: str, overrides: Mapping[str, str] | None = None) -> dict[str, str]:
    """
    Return the outputs of a stack.

    :param overrides: output to use instead, by the name of the replaced output (a preview's role)
    :raises StageError: if the stack is missing, incomplete, or lacks a required output
    """
    description = stack_updates.describe(stack)
    if description is None:
        raise StageError(
            f"There is no stack {stack}: make it from infrastructure/moped-api.yaml (docs/operations.md)."
        )
    status = description["StackStatus"]
    if not status.endswith("_COMPLETE") or status.startswith(("ROLLBACK", "DELETE")):
        raise StageError(f"The stack {stack} is {status}: finish or correct it in CloudFormation first.")
    values = stack_updates.outputs_of(description)
    overrides = overrides or {}
    own = values | {name: values.get(other, "") for name, other in overrides.items()}
    missing = [overrides.get(name, name) for name in REQUIRED_OUTPUTS if not own.get(name)]
    if missing:
        raise StageError(
            f"The stack {stack} lacks {', '.join(missing)}: update it from infrastructure/moped-api.yaml."
        )
    return {name: value for name, value in own.items() if value}


def secret_value(name: str) -> str:
    """Return the text of a secret, or "" if it is missing or empty."""
    # A new secret has no version. Secrets Manager reports that as missing.
    with suppress(NotFoundError), translate_errors(ResourceNotFoundException=NotFoundError):
        return clients.secrets_manager().get_secret_value(SecretId=name).get("SecretString", "")
    return ""


def require_secret_value(name: str) -> None:
    """
    Require that an operator has filled a secret.

    :raises StageError: if the secret is missing or empty
    """
    if not secret_value(name):
        raise StageError(f"The secret {name} is missing or empty: fill it as docs/operations.md says.")


def ensure_exists(name: str) -> None:
    """
    Create an empty stack if it is missing.

    Zappa's `update` fills the stack of the REST API but does not create it.
    """
    if stack_updates.await_end(name) == "DELETE_COMPLETE":
        stack_updates.change(None, name, {}, {}, EMPTY_TEMPLATE, f"the empty stack {name}")


def trigger(stack_outputs: Mapping[str, str]) -> str:
    """Return the name of the user pool's pre-token trigger, or "" if it has none."""
    with translate_errors():
        pool = clients.cognito().describe_user_pool(UserPoolId=stack_outputs["UserPoolId"])["UserPool"]
    arn = pool.get("LambdaConfig", {}).get("PreTokenGeneration", "")
    return arn.split(":")[6] if arn else ""
