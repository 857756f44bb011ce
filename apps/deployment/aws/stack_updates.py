"""Creates, updates and deletes CloudFormation stacks from the templates of this repository."""

import json
import re
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import cfn_flip

from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.core.errors import ConflictError, InvalidError, MopedError, NotFoundError
from apps.deployment.errors import BusyError, RemovalError, StageError

Stack = dict[str, Any]  # one item of DescribeStacks

# The states after a failed creation. CloudFormation can only delete such a stack.
NEVER_CREATED = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"}
# CloudFormation's messages when another process was faster. infrastructure/preview.yaml has the last one.
BUSY = re.compile(
    r"is in \S+ state|while in status|\] (?:already exists|does not exist)|Another run has published"
)
FIRST_POLL_SECONDS, LAST_POLL_SECONDS = 0.05, 5.0
LIMIT_SECONDS = 900.0  # creating Cognito's domain may take minutes
MAX_BODY_BYTES = 51_200


@cache
def body(template: Path) -> str:
    """
    Return a template as compact JSON without comments.

    CloudFormation accepts 51,200 bytes in a call. A longer template would need a bucket.
    """
    document = json.loads(cfn_flip.to_json(template.read_text(encoding="utf-8")))
    return json.dumps(document, separators=(",", ":"))


def create_or_update(
    name: str, template: Path, parameters: Mapping[str, str], tags: Mapping[str, str] | None = None
) -> bool:
    """
    Create or update a stack, wait for the end, and return whether anything changed.

    Parameters that are not given keep their values. The rest of a failed creation is deleted first.

    :raises BusyError: if another process is changing the stack
    :raises StageError: if CloudFormation refuses or fails, with its first reason
    """
    stack = describe(name)
    if stack and stack["StackStatus"] in NEVER_CREATED:
        delete(name)
        stack = None
    return change(stack, name, parameters, tags or {}, body(template), template.name)


def change(
    stack: Stack | None,
    name: str,
    parameters: Mapping[str, str],
    tags: Mapping[str, str],
    template: str = "",
    file: str = "the change",
) -> bool:
    """
    Change a stack as `create_or_update` does.

    :param stack: the result of `describe`
    :param template: the text, or "" to keep the current template
    :param file: the template's name in error messages
    """
    client = clients.cloudformation()
    send = client.update_stack if stack or not template else client.create_stack
    source: dict[str, Any] = {"TemplateBody": template} if template else {"UsePreviousTemplate": True}
    try:
        with translate_errors(ValidationError=InvalidError, AlreadyExistsException=ConflictError):
            send(
                StackName=name,
                **source,
                Parameters=_parameters(stack, template, parameters, file),
                Capabilities=["CAPABILITY_IAM"],
                Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            )
    except (ConflictError, InvalidError) as error:
        # CloudFormation reports an update without changes as this error.
        if "No updates are to be performed" in str(error.__cause__):
            return False
        raise _refusal(error, name, file) from error
    status = await_end(name)
    if status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        raise StageError(f"{file} could not be deployed ({status}): {first_failure(name)}")
    return True


def delete(name: str) -> None:
    """
    Wait for the end of the current update, delete a stack, and wait until it is deleted.

    CloudFormation refuses to delete a stack during an update.

    :raises BusyError: if another process begins an update
    :raises RemovalError: if CloudFormation cannot delete it
    """
    await_end(name)
    stack = describe(name)
    if stack is None:
        return
    try:
        with translate_errors(ValidationError=InvalidError):
            clients.cloudformation().delete_stack(StackName=name)
    except InvalidError as error:
        raise _refusal(error, name, "the deletion") from error
    # CloudFormation finds a deleted stack by its id only.
    status = await_end(stack.get("StackId", name))
    if status != "DELETE_COMPLETE":
        raise RemovalError(f"The stack {name} could not be deleted ({status}): {first_failure(name)}")


def _refusal(error: MopedError, name: str, request: str) -> StageError:
    """Return the error for a refused request."""
    if BUSY.search(str(error.__cause__)):
        return BusyError(f"Another run is changing the stack {name}. Run this again.")
    return StageError(f"CloudFormation refuses {request}: {error.__cause__}")


def describe(name: str) -> Stack | None:
    """Return the description of a stack, or None if it does not exist."""
    try:
        with translate_errors(ValidationError=NotFoundError):
            return dict(clients.cloudformation().describe_stacks(StackName=name)["Stacks"][0])
    except NotFoundError:
        return None


def outputs(name: str) -> dict[str, str]:
    """Return the outputs of a stack. Empty if it does not exist."""
    return outputs_of(describe(name))


def outputs_of(stack: Stack | None) -> dict[str, str]:
    """Return the outputs from the result of `describe`."""
    return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])} if stack else {}


def tags_of(stack: Stack | None) -> dict[str, str]:
    """Return the tags from the result of `describe`."""
    return {each["Key"]: each["Value"] for each in stack.get("Tags", [])} if stack else {}


def _parameters(stack: Stack | None, template: str, parameters: Mapping[str, str], file: str) -> list[Any]:
    before = {each["ParameterKey"] for each in stack.get("Parameters", [])} if stack else set()
    declared = json.loads(template).get("Parameters", {}).keys() if template else before
    if unknown := sorted(parameters.keys() - declared):
        raise StageError(f"{file} has no parameter {', '.join(unknown)}.")
    unchanged = sorted(before & declared - parameters.keys())
    return [
        *({"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()),
        *({"ParameterKey": key, "UsePreviousValue": True} for key in unchanged),
    ]


def await_end(name: str) -> str:
    """Poll a stack with growing pauses until no operation is in progress. Return its status."""
    deadline, pause = time.monotonic() + LIMIT_SECONDS, FIRST_POLL_SECONDS
    while time.monotonic() < deadline:
        stack = describe(name)
        status = stack["StackStatus"] if stack else "DELETE_COMPLETE"
        if not status.endswith("IN_PROGRESS"):
            return status
        time.sleep(pause)
        pause = min(pause * 1.5, LAST_POLL_SECONDS)
    raise StageError(f"The stack {name} was not ready within {LIMIT_SECONDS:.0f} seconds.")


def first_failure(name: str) -> str:
    """Return the first failure of the last operation. CloudFormation lists the newest event first."""
    with translate_errors():
        events = clients.cloudformation().describe_stack_events(StackName=name)["StackEvents"]
    failures = []
    for event in events:
        if event.get("ResourceStatus", "").endswith("_FAILED"):
            failures.append(f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}")
        if event.get("ResourceStatusReason") == "User Initiated":
            break
    return failures[-1] if failures else "no reason given"
