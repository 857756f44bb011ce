"""Quotas and refusals of Lambda."""

from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

from tests.support.strict import Function, replaces
from tests.support.strict.delays import state
from tests.support.strict.rights import by_stack, denial

VARIABLES_BYTES = 4096
PACKAGE_CHARACTERS = 69_905_067  # 50 MiB in base64
UNRESERVED = 100
CONCURRENCY = 1000  # of an account
UNKNOWN_ROLE = "The role defined for the function cannot be assumed by Lambda."


def refusal_of(data: dict[str, Any], name: str = "") -> Any:
    """Return the answer to a change of a function that AWS refuses; None if it does not."""
    if meant := data.get("CodeSha256"):
        current = lambda_svc._functions[name]["config"]["CodeSha256"]
        if meant != current:
            message = f"CodeSHA256 ({meant}) is different from current CodeSHA256 in $LATEST ({current})."
            return error_response_json("InvalidParameterValueException", message)
    if name in state.pending and not by_stack.get():
        return error_response_json(
            "ResourceConflictException",
            "The operation cannot be performed at this time. An update is in progress for resource:"
            f" {lambda_svc._func_arn(name)}",
            409,
        )
    variables = data.get("Environment", {}).get("Variables", {})
    if sum(len(f"{key}{value}".encode()) for key, value in variables.items()) > VARIABLES_BYTES:
        return error_response_json(
            "InvalidParameterValueException",
            "Lambda was unable to configure your environment variables because the environment variables you"
            " have provided exceeded the 4KB limit.",
        )
    if len(data.get("ZipFile") or data.get("Code", {}).get("ZipFile") or "") > PACKAGE_CHARACTERS:
        message = f"Request must be smaller than {PACKAGE_CHARACTERS} bytes for the operation"
        return error_response_json("RequestEntityTooLargeException", message, 413)
    return refusal_of_role(data.get("Role", ""))


def refusal_of_role(role: str) -> Any:
    """
    Return the answer to a caller who may not hand over a role, or hands over a new one. None to others.

    CloudFormation waits for a new role by itself.
    """
    refusal = role and denial("iam:PassRole", role, passed_to="lambda.amazonaws.com")
    if refusal:
        return error_response_json("AccessDeniedException", refusal, 403)
    if role and not by_stack.get() and state.refusals_of_roles > 0:
        state.refusals_of_roles -= 1
        return error_response_json("InvalidParameterValueException", UNKNOWN_ROLE)
    return None


@replaces(lambda_svc, "_create_function", "_update_code", "_update_config", "_publish_version")
def change_within_limits(original: Function, *arguments: Any) -> Any:
    """Create, change or publish a function as far as AWS would. A creation takes its data alone."""
    *name, data = arguments
    return refusal_of(data, *name) or original(*arguments)


@replaces(lambda_svc, "_put_function_concurrency")
def reserve_within_limits(original: Function, name: str, data: dict[str, Any]) -> Any:
    """Leave enough of the account's requests at once without a reservation."""
    others = sum(each.get("concurrency") or 0 for key, each in lambda_svc._functions.items() if key != name)
    if CONCURRENCY - others - data.get("ReservedConcurrentExecutions", 0) < UNRESERVED:
        return error_response_json(
            "InvalidParameterValueException",
            "Specified ReservedConcurrentExecutions for function decreases account's"
            f" UnreservedConcurrentExecution below its minimum value of [{UNRESERVED}].",
        )
    return original(name, data)


@replaces(provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"], "create", "update")
def reserve_for_stack(original: Function, *arguments: Any, **options: Any) -> Any:
    """Let CloudFormation reserve a function's concurrency, which MiniStack leaves out."""
    name, attributes = original(*arguments, **options)
    properties = next(each for each in reversed(arguments) if isinstance(each, dict))
    if "ReservedConcurrentExecutions" in properties:
        lambda_svc._put_function_concurrency(name, properties)
    return name, attributes


@replaces(lambda_svc, "_execute_function_warm")
def name_failure(original: Function, *arguments: Any) -> Any:
    """Name a failure by the class of the exception, as Lambda does."""
    result = original(*arguments)
    if result.get("error") and result["body"].get("errorType") == "Runtime.HandlerError":
        last_line = result["log"].strip().rpartition("\n")[2]
        name = last_line.partition(":")[0].rpartition(".")[2]
        result["body"]["errorType"] = name or "Runtime.HandlerError"
    return result
