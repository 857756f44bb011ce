"""
Starts the emulator in strict mode: it refuses what AWS refuses and MiniStack accepts.

Run by the emulator's own Python, as apps/devstack/ministack_launcher.py is, which it completes. Each rule
changes a private function of MiniStack and stops the start if that function is gone.

| AWS | here |
|---|---|
| one CreateDeployment of API Gateway in 5 seconds for an account | the same; a test sets the seconds |
| a stack takes 10 to 60 seconds | one answer of DescribeStacks says that the work is in progress |
| a function is pending after a change | until its state was asked for once; changes are refused meanwhile |
| CloudFormation acts with the rights of its caller | the same, for what Zappa's stack contains |
| handing over a role needs iam:PassRole | the same |
| each request about a function needs the right of its name | the same |
| a failure of a function has the name of its exception | the same |
| 4 kB of variables, 50 MB of package, 100 requests at once without a reservation | the same |
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

sys.path.insert(0, str(Path(__file__).parents[2] / "apps" / "devstack"))

import ministack_launcher as launcher
from ministack import app as ministack
from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import error_response_json, get_region
from ministack.core.router import extract_access_key_id
from ministack.services import apigateway_v1, lambda_svc, tagging
from ministack.services.cloudformation import handlers, stacks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Function = Callable[..., Any]

SECONDS = "/_strict/seconds_between_deployments/"  # and a number
RIGHTS = "/_strict/rights"
VARIABLES_BYTES = 4096
PACKAGE_CHARACTERS = 69_905_067  # 50 MiB in base64
UNRESERVED = 100
CONCURRENCY = 1000  # of an account
GATEWAY = "AWS::ApiGateway::"
# Where CloudFormation finds a resource of the gateway, by its type, and how it makes one.
PATHS = {
    "RestApi": ("POST", "/restapis", "/restapis/{id}"),
    "Resource": (
        "POST",
        "/restapis/{RestApiId}/resources/{ParentId}",
        "/restapis/{RestApiId}/resources/{id}",
    ),
    "Method": ("PUT", *["/restapis/{RestApiId}/resources/{ResourceId}/methods/{HttpMethod}"] * 2),
}
access_key: ContextVar[str] = ContextVar("access_key", default="")
by_stack: ContextVar[bool] = ContextVar("by_stack", default=False)


@dataclass
class State:
    """What this module knows besides MiniStack."""

    seconds_between_deployments: float = 5.0
    last_deployment: float = float("-inf")
    in_progress: dict[str, str] = field(default_factory=dict)  # what to say of a stack, by its name
    pending: set[str] = field(default_factory=set)  # functions
    asked: set[tuple[str, str]] = field(default_factory=set)  # callers, and rights that they needed


state = State()


def main() -> None:
    """Make the emulator strict and serve."""
    launcher.mend(iam_evaluator, "pin_request_caller", remember_caller)
    launcher.mend(iam_evaluator, "enforce", recorded)
    launcher.mend(tagging, "resource_tags", tags_of_apis)
    launcher.mend(iam_actions, "extract_resource_arn", function_to_be_made)
    iam_actions._BOTOCORE_SERVICE_MAP["lambda"] = ["lambda"]  # as other services: by Amazon's description
    launcher.mend(iam_actions, "_lambda_action", right_of_a_function)
    launcher.mend(apigateway_v1, "_create_deployment", one_deployment_at_a_time)
    for action, verb in (
        ("CreateStack", "CREATE"),
        ("UpdateStack", "UPDATE"),
        ("ExecuteChangeSet", "UPDATE"),
    ):
        handlers._ACTION_HANDLERS[action] = slow_stack(handlers._ACTION_HANDLERS[action], verb)
    handlers._ACTION_HANDLERS["DescribeStacks"] = in_progress_once(
        handlers._ACTION_HANDLERS["DescribeStacks"]
    )
    for name in ("_provision_resource", "_update_resource", "_delete_resource"):
        launcher.mend(stacks, name, RESOURCES[name])
    for name, wrap in FUNCTIONS.items():
        launcher.mend(lambda_svc, name, wrap)
    ministack.app = with_controls(ministack.app)
    launcher.main()


def with_controls(application: Any) -> Any:
    """Let a test set the seconds between two deployments of an API, and ask which rights were asked for."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        body, path = b"", scope.get("path", "")
        if path == RIGHTS:
            body = json.dumps(sorted(state.asked)).encode()
        elif path.startswith(SECONDS):
            state.seconds_between_deployments = float(path.removeprefix(SECONDS))
        else:
            await application(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    return answer


# ---- who may do what --------------------------------------------------------------------------------


def remember_caller(original: Function) -> Function:
    """Keep the access key of a request for what is done in its name later."""

    def pin(headers: dict[str, str], query: dict[str, Any] | None = None) -> None:
        access_key.set(extract_access_key_id(headers, query or {}))
        original(headers, query)

    return pin


def recorded(original: Function) -> Function:
    """Record which rights of a caller are asked for."""

    def enforce(key: str, action: str, *rest: Any, **more: Any) -> Any:
        state.asked.add((iam_evaluator.caller_arn(), action))
        return original(key, action, *rest, **more)

    return enforce


def tags_of_apis(original: Function) -> Function:
    """
    Let rights depend on the tags of a REST API, for the API and for all below it.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-tagging-supported-resources.html
    """

    def tags(arn: str) -> Any:
        _, found, path = arn.partition("::/restapis/")
        if not found:
            return original(arn)
        return apigateway_v1._v1_tags.get(apigateway_v1._rest_api_arn(path.partition("/")[0]))

    return tags


def function_to_be_made(original: Function) -> Function:
    """Require the right to create a function for its name, which is in the body."""

    def extract(*arguments: Any) -> Any:
        service, method, path, _headers, body, _query, region, account = arguments
        if (service, method) == ("lambda", "POST") and path.rstrip("/").endswith("/functions"):
            return f"arn:aws:lambda:{region}:{account}:function:{json.loads(body)['FunctionName']}"
        return original(*arguments)

    return extract


def right_of_a_function(original: Function) -> Function:
    """Require for each request about a function the right of its name, and not that of a list."""

    def action(method: str, path: str) -> Any:
        operation = iam_actions._match_rest_action("lambda", method, path)
        return "InvokeFunction" if operation == "Invoke" else operation or original(method, path)

    return action


def denial(action: str, resource: str, passed_to: str = "") -> str:
    """Return why the caller may not do this; "" if they may."""
    context = {"iam:PassedToService": passed_to} if passed_to else {}
    denied = iam_evaluator.enforce(
        access_key.get(),
        action,
        "iam",
        get_region(),
        resource_arn=resource,
        service_context=context,
    )
    if denied is None:
        return ""
    caller = getattr(denied, "principal_arn", "unknown")
    return str(iam_actions.identity_denial_message(action, caller, resource, explicit_deny=False))


def require_gateway_right(
    kind: str, method: str, path: str, properties: dict[str, Any], physical: str
) -> None:
    """Let CloudFormation change the gateway only as far as its caller may."""
    names = {"id": physical, **{name: value for name, value in properties.items() if isinstance(value, str)}}
    resource = f"arn:aws:apigateway:{get_region()}::{path.format_map(names)}"
    refusal = denial(f"apigateway:{method}", resource)
    if properties.get("Tags") and not (physical or refusal):
        # AWS asks for this before the API has an id: https://github.com/mattclay/aws-terminator/pull/284
        apis = quote(f"arn:aws:apigateway:{get_region()}::/restapis/*", safe="*")
        refusal = denial("apigateway:PUT", f"arn:aws:apigateway:{get_region()}::/tags/{apis}")
    role = properties.get("Integration", {}).get("Credentials")
    if role and not refusal:
        refusal = denial("iam:PassRole", role, passed_to="apigateway.amazonaws.com")
    if refusal:
        raise ValueError(f"{GATEWAY}{kind}: {refusal} (Status Code: 403)")


def with_rights(method: str) -> Callable[[Function], Function]:
    """Return what lets CloudFormation make, change or delete a resource with the rights of its caller."""

    def wrap(original: Function) -> Function:
        def act(kind: str, name: str, properties: dict[str, Any], *rest: Any, **more: Any) -> Any:
            short = kind.removeprefix(GATEWAY)
            if short in PATHS and not (method == "PATCH" and properties == rest[0]):
                verb, collection, path = PATHS[short]
                made = (verb, collection) if method == "POST" else (method, path)
                require_gateway_right(short, *made, properties, name)
            token = by_stack.set(True)
            try:
                return original(kind, name, properties, *rest, **more)
            finally:
                by_stack.reset(token)

        return act

    return wrap


RESOURCES = {
    "_provision_resource": with_rights("POST"),
    "_update_resource": with_rights("PATCH"),
    "_delete_resource": with_rights("DELETE"),
}

# ---- what takes time --------------------------------------------------------------------------------


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
            answer = original(params)
        if answer[0] == 200:
            state.in_progress[name] = f"{verb}_IN_PROGRESS"
        return answer

    return change


def refusal_of_template(url: str) -> str:
    """Return why the caller may not read a template in a bucket, since CloudFormation reads it for them."""
    if not url:
        return ""
    host, path = urlsplit(url).hostname or "", urlsplit(url).path.lstrip("/")
    bucket = "" if host.startswith("s3") else host.partition(".")[0] + "/"
    return denial("s3:GetObject", f"arn:aws:s3:::{bucket}{path}")


def in_progress_once(original: Function) -> Function:
    """Let the first answer about a stack say that the work is in progress."""

    def describe(params: dict[str, Any]) -> Any:
        name = name_of(params)
        with shown_in_progress(name):
            answer = original(params)
        state.in_progress.pop(name, None)
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
    stack["StackStatus"] = transient
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


# ---- what functions may be --------------------------------------------------------------------------


def refusal_of(data: dict[str, Any], name: str) -> Any:
    """Return the answer to a change of a function that AWS refuses; None if it does not."""
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
    """Return the answer to a caller who may not hand over a role; None to one who may."""
    refusal = role and denial("iam:PassRole", role, passed_to="lambda.amazonaws.com")
    return error_response_json("AccessDeniedException", refusal, 403) if refusal else None


def created_within_limits(original: Function) -> Function:
    """Make a function that AWS would make."""
    return lambda data: refusal_of(data, "") or original(data)


def changed_within_limits(original: Function) -> Function:
    """Change or publish a function as far as AWS would."""
    return lambda name, data: refusal_of(data, name) or original(name, data)


def reserved_within_limits(original: Function) -> Function:
    """Leave enough of the account's requests at once without a reservation."""

    def put(name: str, data: dict[str, Any]) -> Any:
        others = sum(
            each.get("concurrency") or 0 for key, each in lambda_svc._functions.items() if key != name
        )
        if CONCURRENCY - others - data.get("ReservedConcurrentExecutions", 0) < UNRESERVED:
            return error_response_json(
                "InvalidParameterValueException",
                "Specified ReservedConcurrentExecutions for function decreases account's"
                f" UnreservedConcurrentExecution below its minimum value of [{UNRESERVED}].",
            )
        return original(name, data)

    return put


def named_by_its_exception(original: Function) -> Function:
    """Name a failure by the class of the exception, as Lambda does."""

    def execute(*arguments: Any) -> Any:
        result = original(*arguments)
        if result.get("error") and result["body"].get("errorType") == "Runtime.HandlerError":
            last_line = result["log"].strip().rpartition("\n")[2]
            name = last_line.partition(":")[0].rpartition(".")[2]
            result["body"]["errorType"] = name or "Runtime.HandlerError"
        return result

    return execute


FUNCTIONS = {
    "_execute_function_warm": named_by_its_exception,
    "_create_function": created_within_limits,
    "_update_code": changed_within_limits,
    "_update_config": changed_within_limits,
    "_publish_version": changed_within_limits,
    "_put_function_concurrency": reserved_within_limits,
    "_schedule_state_transition": stay_pending,
    "_get_function": ready_when_asked,
    "_get_function_config": ready_when_asked,
}

if __name__ == "__main__":
    main()
