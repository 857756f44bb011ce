"""
What takes time on AWS: deployments of an API, stacks, changes of functions, new roles, and tags.

Each function below takes a private function of MiniStack and returns the one that replaces it. All but the
deployments count questions and not seconds, so that no test depends on time.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ministack.services import apigateway_v1, lambda_svc
from ministack.services.cloudformation import handlers

from tests.support.strict.rights import by_stack, denial

Function = Callable[..., Any]


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


state = State()


def one_deployment_at_a_time(original: Function) -> Function:
    """Refuse a deployment of an API soon after another one."""

    def create(*arguments: Any) -> Any:
        if time.monotonic() - state.last_deployment < state.seconds_between_deployments:
            return apigateway_v1._v1_error("TooManyRequestsException", "Too Many Requests", 429)
        state.last_deployment = time.monotonic()
        return original(*arguments)

    return create


def name_of(params: dict[str, Any]) -> str:
    """Return the name of the stack that a request is about, which may give its ARN."""
    name = str(handlers._p(params, "StackName"))
    return name.split("/")[1] if name.startswith("arn:") else name


def slow_stack(original: Function, verb: str) -> Function:
    """Begin work at a stack, and refuse other work before that is done."""

    def change(params: dict[str, Any]) -> Any:
        if refusal := refusal_of_template(handlers._p(params, "TemplateURL")):
            return handlers._error("ValidationError", f"S3 error: {refusal}")
        name = name_of(params)
        with shown_in_progress(name):
            answer = (verb == "DELETE" and refusal_of_deletion(name)) or original(params)
        if answer[0] == 200:
            state.in_progress[name] = [f"{verb}_IN_PROGRESS"] * ANSWERS_IN_PROGRESS
        return answer

    return change


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


def in_progress_at_first(original: Function) -> Function:
    """Let the first answers about a stack say that the work is in progress."""

    def describe(params: dict[str, Any]) -> Any:
        name = name_of(params)
        with shown_in_progress(name):
            answer = original(params)
        del state.in_progress.get(name, [])[:1]
        return answer

    return describe


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


def stay_pending(_original: Function) -> Function:
    """Let a function be pending until its state is asked for. CloudFormation waits by itself."""

    def begin(name: str, _delay: float) -> None:
        state.pending.add(name)
        if by_stack.get():
            finish_change(name)

    return begin


def finish_change(name: str) -> None:
    """Let the change of a function be done."""
    state.pending.discard(name)
    record = lambda_svc._functions.get(name, {"config": {}})
    for each in (record, *record.get("versions", {}).values()):
        each["config"].update(State="Active", StateReason="", StateReasonCode="")
        each["config"].update(LastUpdateStatus="Successful", LastUpdateStatusReason="")


def ready_when_asked(original: Function) -> Function:
    """Answer with the state, then let the change be done."""

    def get(name: str, *rest: Any) -> Any:
        answer = original(name, *rest)
        if name in state.pending:
            finish_change(name)
        return answer

    return get


def one_question_late(original: Function) -> Function:
    """
    Find by tags what was there at the question before, also after a deletion.

    The list of everything is not late: tests ask for it, to see what is there.
    """
    earlier: dict[str, Any] = {}

    def get(question: dict[str, Any]) -> Any:
        status, headers, body = original(question)
        if "TagFilters" not in question:
            return status, headers, body
        nothing = json.dumps({"PaginationToken": "", "ResourceTagMappingList": []}).encode()
        key = json.dumps(question, sort_keys=True)
        answer, earlier[key] = earlier.get(key, nothing), body
        return status, headers, answer

    return get
