"""The CloudFormation stack of the laptop: the project's own template, deployed as a stage's is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.core.errors import InvalidError, NotFoundError
from apps.devstack.environment import PROJECT
from apps.devstack.errors import DevstackError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_cloudformation.literals import CapabilityType
    from mypy_boto3_cloudformation.type_defs import ParameterTypeDef, StackTypeDef

NAME = "moped-laptop"
TEMPLATE = PROJECT / "infrastructure" / "moped-api.yaml"
CAPABILITIES: tuple[CapabilityType, ...] = ("CAPABILITY_IAM",)
# What is left of a creation that failed: nothing that could be updated.
NEVER_MADE = "ROLLBACK_COMPLETE"
POLL_SECONDS = 0.05
DEPLOY_SECONDS = 180.0


def outputs() -> dict[str, str]:
    """Return what the stack made; nothing if there is none."""
    stack = _describe()
    made = stack.get("Outputs", []) if stack else []
    return {output["OutputKey"]: output["OutputValue"] for output in made}


def deploy(parameters: Mapping[str, str]) -> dict[str, str]:
    """
    Create or update the stack, or leave it as it is, and return its outputs.

    :raises DevstackError: if CloudFormation refuses, with the first reason it gives
    """
    try:
        with translate_errors(ValidationError=InvalidError):
            _request(parameters)
    except InvalidError as error:
        # The only way in which CloudFormation says that nothing has changed.
        if "No updates are to be performed" not in str(error.__cause__):
            raise DevstackError(f"CloudFormation refuses {TEMPLATE.name}: {error.__cause__}") from error
    _await_completion()
    return outputs()


def _request(parameters: Mapping[str, str]) -> None:
    template = TEMPLATE.read_text(encoding="utf-8")
    given: list[ParameterTypeDef] = [
        {"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()
    ]
    stack = _describe()
    if stack and stack["StackStatus"] == NEVER_MADE:
        clients.cloudformation().delete_stack(StackName=NAME)
        stack = None
    send = clients.cloudformation().update_stack if stack else clients.cloudformation().create_stack
    send(StackName=NAME, TemplateBody=template, Parameters=given, Capabilities=CAPABILITIES)


def _await_completion() -> None:
    deadline = time.monotonic() + DEPLOY_SECONDS
    while time.monotonic() < deadline:
        stack = _describe()
        status = stack["StackStatus"] if stack else "DELETE_COMPLETE"
        if status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
            return
        if not status.endswith("IN_PROGRESS"):
            raise DevstackError(f"{TEMPLATE.name} could not be deployed ({status}): {_first_failure()}")
        time.sleep(POLL_SECONDS)
    raise DevstackError(f"{TEMPLATE.name} was not deployed within {DEPLOY_SECONDS:.0f} seconds.")


def _first_failure() -> str:
    with translate_errors():
        events = clients.cloudformation().describe_stack_events(StackName=NAME)["StackEvents"]
    failed = [event for event in reversed(events) if event.get("ResourceStatus", "").endswith("_FAILED")]
    return next(
        (f"{e['LogicalResourceId']}: {e.get('ResourceStatusReason')}" for e in failed), "no reason given"
    )


def _describe() -> StackTypeDef | None:
    try:
        with translate_errors(ValidationError=NotFoundError):
            return clients.cloudformation().describe_stacks(StackName=NAME)["Stacks"][0]
    except NotFoundError:
        return None
