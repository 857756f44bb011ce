"""Rights: who asks, what CloudFormation does in the name of its caller, and which role may be handed over."""

import json
from contextvars import ContextVar
from functools import partial
from typing import Any
from urllib.parse import quote

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_region
from ministack.core.router import extract_access_key_id
from ministack.services import apigateway_v1, tagging
from ministack.services.cloudformation import stacks

from tests.support.strict import Function, replaces

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
asked: set[tuple[str, str]] = set()  # callers, and rights that they needed


@replaces(iam_evaluator, "pin_request_caller")
def remember_caller(original: Function, headers: dict[str, str], query: dict[str, Any] | None = None) -> None:
    """Keep the access key of a request for what is done in its name later."""
    access_key.set(extract_access_key_id(headers, query or {}))
    original(headers, query)


@replaces(iam_evaluator, "enforce")
def record(original: Function, key: str, action: str, *rest: Any, **more: Any) -> Any:
    """Record which rights of a caller are asked for."""
    asked.add((iam_evaluator.caller_arn(), action))
    return original(key, action, *rest, **more)


@replaces(tagging, "resource_tags")
def tags_of(original: Function, arn: str) -> Any:
    """
    Let rights depend on the tags of a REST API, for the API and for all below it.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-tagging-supported-resources.html
    """
    _, separator, path = arn.partition("::/restapis/")
    if not separator:
        return original(arn)
    return apigateway_v1._v1_tags.get(apigateway_v1._rest_api_arn(path.partition("/")[0]))


@replaces(iam_actions, "extract_resource_arn")
def resource_of(original: Function, *arguments: Any) -> Any:
    """Require the right to create a function for its name, which is in the body."""
    service, method, path, _headers, body, _query, region, account = arguments
    if (service, method) == ("lambda", "POST") and path.rstrip("/").endswith("/functions"):
        return f"arn:aws:lambda:{region}:{account}:function:{json.loads(body)['FunctionName']}"
    return original(*arguments)


@replaces(iam_actions, "_lambda_action")
def right_of_function(original: Function, method: str, path: str) -> Any:
    """Require for each request about a function the right of its name, and not that of a list."""
    operation = iam_actions._match_rest_action("lambda", method, path)
    return "InvokeFunction" if operation == "Invoke" else operation or original(method, path)


def denial(action: str, resource: str, passed_to: str = "") -> str:
    """Return why the caller may not do this; "" if they may."""
    context = {"iam:PassedToService": passed_to} if passed_to else {}
    refusal = iam_evaluator.enforce(
        access_key.get(),
        action,
        "iam",
        get_region(),
        resource_arn=resource,
        service_context=context,
    )
    if refusal is None:
        return ""
    caller = getattr(refusal, "principal_arn", "unknown")
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


def provision_with_rights(
    method: str, original: Function, kind: str, name: str, properties: dict[str, Any], *rest: Any, **more: Any
) -> Any:
    """Let CloudFormation make, change or delete a resource with the rights of its caller."""
    short = kind.removeprefix(GATEWAY)
    if short in PATHS and not (method == "PATCH" and properties == rest[0]):
        verb, collection, path = PATHS[short]
        target = (verb, collection) if method == "POST" else (method, path)
        require_gateway_right(short, *target, properties, name)
    token = by_stack.set(True)
    try:
        return original(kind, name, properties, *rest, **more)
    finally:
        by_stack.reset(token)


replaces(stacks, "_provision_resource")(partial(provision_with_rights, "POST"))
replaces(stacks, "_update_resource")(partial(provision_with_rights, "PATCH"))
replaces(stacks, "_delete_resource")(partial(provision_with_rights, "DELETE"))
