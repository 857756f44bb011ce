"""
What takes time on AWS: deployments of an API, stacks, changes of functions, new roles, and tags.

All but the deployments count questions and not seconds, so that no test depends on time.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from ministack.services import apigateway_v1, lambda_svc, tagging
from ministack.services.cloudformation import handlers

from tests.support.strict import Function, replaces
from tests.support.strict.rights import by_stack, denial

# A program that looks once and then acts must meet a stack that is still in progress.
ANSWERS_IN_PROGRESS = 2


@dataclass
class State:
    """What is under way."""

    seconds_between_deployments: float = 5.0
    last_deployment: float = float("-inf")
    in_progress: dict[str, list[str]] = field(default_factory=dict)  # what to say of a stack, by its name
    pending: set[str] = field(default_factory=set)  # functions
    refusals_of_roles: float = 0  # how often Lambda will refuse a role
    tagged: dict[str, Any] = field(default_factory=dict)  # what the last questions about tags found


state = State()


@replaces(apigateway_v1, "_create_deployment")
def deploy_in_turn(original: Function, *arguments: Any) -> Any:
    """Refuse a deployment of an API soon after another one."""
    if time.monotonic() - state.last_deployment < state.seconds_between_deployments:
        return apigateway_v1._v1_error("TooManyRequestsException", "Too Many Requests", 429)
    state.last_deployment = time.monotonic()
    return original(*arguments)


def name_of(params: dict[str, Any]) -> str:
    """Return the name of the stack that a request is about, which may give its ARN."""
    name = str(handlers._p(params, "StackName"))
    return name.split("/")[1] if name.startswith("arn:") else name


def change_slowly(verb: str, original: Function, params: dict[str, Any]) -> Any:
    """Begin work at a stack, and refuse other work before that is done."""
    if refusal := refusal_of_template(handlers._p(params, "TemplateURL")):
        return handlers._error("ValidationError", f"S3 error: {refusal}")
    name = name_of(params)
    with shown_in_progress(name):
        answer = (verb == "DELETE" and refusal_of_deletion(name)) or original(params)
    if answer[0] == 200:
        state.in_progress[name] = [f"{verb}_IN_PROGRESS"] * ANSWERS_IN_PROGRESS
    return answer


replaces(handlers._ACTION_HANDLERS, "CreateStack")(partial(change_slowly, "CREATE"))
replaces(handlers._ACTION_HANDLERS, "UpdateStack", "ExecuteChangeSet")(partial(change_slowly, "UPDATE"))
replaces(handlers._ACTION_HANDLERS, "DeleteStack")(partial(change_slowly, "DELETE"))


def refusal_of_deletion(name: str) -> Any:
    """Return the answer to a deletion during an update; None before and after. A creation ends with it."""
    stack = stacks_by_name().get(name, {})
    status = str(stack.get("StackStatus"))
    if not (status.startswith("UPDATE_") and status.endswith("_IN_PROGRESS")):
        return None
    message = f"Stack [{stack['StackId']}] cannot be deleted while in status {status}"
    return handlers._error("ValidationError", message)


def refusal_of_template(url: str) -> str:
    """Return why the caller may not read a template in a bucket, since CloudFormation reads it for them."""
    if not url:
        return ""
    host, path = urlsplit(url).hostname or "", urlsplit(url).path.lstrip("/")
    bucket = "" if host.startswith("s3") else host.partition(".")[0] + "/"
    return denial("s3:GetObject", f"arn:aws:s3:::{bucket}{path}")


@replaces(handlers._ACTION_HANDLERS, "DescribeStacks")
def describe_in_progress(original: Function, params: dict[str, Any]) -> Any:
    """Let the first answers about a stack say that the work is in progress."""
    name = name_of(params)
    with shown_in_progress(name):
        answer = original(params)
    del state.in_progress.get(name, [])[:1]
    return answer


@contextmanager
def shown_in_progress(name: str) -> Iterator[None]:
    """Show another status of a stack for a moment, if its work is done."""
    stack = stacks_by_name().get(name)
    status = stack["StackStatus"] if stack else ""
    transient = state.in_progress.get(name)
    if not (stack and transient and status.endswith("_COMPLETE")):
        yield
        return
    stack["StackStatus"] = transient[0]
    try:
        yield
    finally:
        stack["StackStatus"] = status


def stacks_by_name() -> Any:
    """Return the emulator's stacks."""
    from ministack.services.cloudformation import _stacks  # noqa: PLC0415 (as their handlers do)

    return _stacks


@replaces(lambda_svc, "_schedule_state_transition")
def stay_pending(_original: Function, name: str, _delay: float) -> None:
    """Let a function be pending until its state is asked for. CloudFormation waits by itself."""
    state.pending.add(name)
    if by_stack.get():
        finish_change(name)


def finish_change(name: str) -> None:
    """Let the change of a function be done."""
    state.pending.discard(name)
    record = lambda_svc._functions.get(name, {"config": {}})
    for each in (record, *record.get("versions", {}).values()):
        each["config"].update(State="Active", StateReason="", StateReasonCode="")
        each["config"].update(LastUpdateStatus="Successful", LastUpdateStatusReason="")


@replaces(lambda_svc, "_get_function", "_get_function_config")
def finish_when_asked(original: Function, name: str, *rest: Any) -> Any:
    """Answer with the state, then let the change be done."""
    answer = original(name, *rest)
    if name in state.pending:
        finish_change(name)
    return answer


@replaces(tagging._HANDLERS, "GetResources")
def find_late(original: Function, question: dict[str, Any]) -> Any:
    """
    Find by tags what was there at the question before, also after a deletion.

    The list of everything is not late: tests ask for it, to see what is there.
    """
    status, headers, body = original(question)
    if "TagFilters" not in question:
        return status, headers, body
    nothing = json.dumps({"PaginationToken": "", "ResourceTagMappingList": []}).encode()
    key = json.dumps(question, sort_keys=True)
    answer, state.tagged[key] = state.tagged.get(key, nothing), body
    return status, headers, answer
