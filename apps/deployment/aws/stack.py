"""What a stage stands on: the outputs of its CloudFormation stack, and whether they are all there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.core.errors import NotFoundError
from apps.deployment.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_cloudformation.type_defs import StackTypeDef

# What the function is told, by the output that says it.
VARIABLES = {
    "UserPoolId": "COGNITO_USERPOOL_ID",
    "ClientId": "COGNITO_APP_CLIENT_ID",
    "DomainUrl": "COGNITO_DOMAIN_URL",
    "ClaimsTable": "COGNITO_DYNAMO_TABLE_NAME",
    "UploadsBucket": "MOPED_API_UPLOADS_S3_BUCKET",
    "ConfigurationSecret": "MOPED_API_CONFIGURATION_SETTINGS",
    "DatabaseUrl": "DATABASE_URL",
    "DatabaseSecret": "MOPED_API_DATABASE_SECRET",
}
OPTIONAL = {"DatabaseSecret"}
NEEDED = (*sorted(VARIABLES.keys() - OPTIONAL), "FunctionRoleArn", "DeploymentBucket", "FunctionLog")


def variables(made: dict[str, str]) -> dict[str, str]:
    """Return what the function is told of what the stack made."""
    return {variable: made[output] for output, variable in VARIABLES.items() if output in made}


def outputs(stack: str, instead: Mapping[str, str] | None = None) -> dict[str, str]:
    """
    Return what the stack made.

    :param instead: outputs that the stage takes for others, by the others' names (a preview's role)
    :raises StageError: if there is no such stack, it is half made, or it lacks something
    """
    described = _describe(stack)
    status = described["StackStatus"]
    if not status.endswith("_COMPLETE") or status.startswith(("ROLLBACK", "DELETE")):
        raise StageError(f"The stack {stack} is {status}: finish or mend it in CloudFormation first.")
    made = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
    others = instead or {}
    own = made | {name: made.get(other, "") for name, other in others.items()}
    missing = [others.get(name, name) for name in NEEDED if not own.get(name)]
    if missing:
        raise StageError(
            f"The stack {stack} lacks {', '.join(missing)}: update it from infrastructure/moped-api.yaml."
        )
    return {name: value for name, value in own.items() if value}


def require_secret_value(name: str) -> None:
    """
    See to it that the configuration was filled in.

    :raises StageError: if the secret is missing or empty
    """
    try:
        with translate_errors(ResourceNotFoundException=NotFoundError):
            content = clients.secrets_manager().get_secret_value(SecretId=name).get("SecretString")
    except NotFoundError:
        content = ""
    if not content:
        raise StageError(f"The secret {name} is missing or empty: fill it as docs/operations.md says.")


def require_role(arn: str) -> None:
    """
    See to it that the function can run as its role.

    :raises StageError: if there is no such role
    """
    try:
        with translate_errors(NoSuchEntity=NotFoundError, NoSuchEntityException=NotFoundError):
            clients.iam().get_role(RoleName=arn.rpartition("/")[2])
    except NotFoundError:
        raise StageError(f"There is no role {arn}: update the stack, it makes the function's role.") from None


def _describe(stack: str) -> StackTypeDef:
    try:
        with translate_errors(ValidationError=NotFoundError):
            return clients.cloudformation().describe_stacks(StackName=stack)["Stacks"][0]
    except NotFoundError:
        raise StageError(
            f"There is no stack {stack}: make it from infrastructure/moped-api.yaml (docs/operations.md)."
        ) from None
