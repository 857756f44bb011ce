"""
What stands before a stage's function: a REST API, or a function URL.

What API Gateway itself refuses (a body too large, too many requests, a function that does not
answer) has neither our error body nor CORS unless it is told. A function URL cannot be told.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from django.conf import settings

from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.core.errors import NotFoundError

if TYPE_CHECKING:
    from typing import Any

    from apps.deployment.settings.rendering import Stage

# The kinds of refusal, by API Gateway's name: our code, and what we say.
REFUSALS = {
    "DEFAULT_4XX": ("refused", "The request was refused before it reached the API."),
    "DEFAULT_5XX": ("unavailable", "The API did not answer. Try again in a moment."),
    "REQUEST_TOO_LARGE": ("body_too_large", "The body is too large."),
    "THROTTLED": ("too_many_requests", "There are too many requests. Try again in a moment."),
    "INTEGRATION_TIMEOUT": ("unavailable", "The API did not answer in time. Try again in a moment."),
    "INTEGRATION_FAILURE": ("unavailable", "The API did not answer. Try again in a moment."),
}
STATUSES = {
    "REQUEST_TOO_LARGE": "413",
    "THROTTLED": "429",
    "INTEGRATION_TIMEOUT": "504",
    "INTEGRATION_FAILURE": "503",
}
HEADERS = {
    "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",  # a refusal tells a page nothing
    "gatewayresponse.header.Content-Type": "'application/problem+json'",
}


def api_id(stage: Stage) -> str:
    """Return the id of the stage's REST API, from the stack that Zappa made; "" if there is none."""
    try:
        with translate_errors(ValidationError=NotFoundError):
            resource = clients.cloudformation().describe_stack_resource(
                StackName=stage.function, LogicalResourceId="Api"
            )
    except NotFoundError:
        return ""
    return resource["StackResourceDetail"]["PhysicalResourceId"]


def url(stage: Stage) -> str:
    """Return where the stage answers, without a slash at the end; "" if nothing stands before it."""
    if stage.has_gateway:
        gateway_id = api_id(stage)
        region = settings.AWS_REGION
        return f"https://{gateway_id}.execute-api.{region}.amazonaws.com/{stage.name}" if gateway_id else ""
    try:
        with translate_errors(ResourceNotFoundException=NotFoundError):
            config = clients.lambda_client().get_function_url_config(FunctionName=stage.function)
    except NotFoundError:
        return ""
    return config["FunctionUrl"].rstrip("/")


def set_gateway_responses(stage: Stage) -> None:
    """Give the REST API's own refusals our body and CORS, and let the stage have them."""
    gateway_id = api_id(stage)
    if not (stage.has_gateway and gateway_id):
        return
    with translate_errors():
        client = clients.apigateway()
        for kind, (code, detail) in REFUSALS.items():
            status = {"statusCode": STATUSES[kind]} if kind in STATUSES else {}
            client.put_gateway_response(
                restApiId=gateway_id,
                responseType=kind,  # type: ignore[arg-type]
                responseParameters=HEADERS,
                responseTemplates={"application/json": json.dumps(_body(code, detail))},
                **status,
            )
        client.create_deployment(
            restApiId=gateway_id, stageName=stage.name, description="refusals with our body"
        )


def set_rate_limits(stage: Stage) -> None:
    """Set the rate limits of the REST API, for all callers together."""
    gateway_id = api_id(stage)
    if not (stage.has_gateway and gateway_id):
        return
    limits = {"rateLimit": stage.own["requests_per_second"], "burstLimit": stage.own["requests_at_once"]}
    with translate_errors():
        clients.apigateway().update_stage(
            restApiId=gateway_id,
            stageName=stage.name,
            patchOperations=[
                {"op": "replace", "path": f"/*/*/throttling/{name}", "value": str(value)}
                for name, value in limits.items()
            ],
        )


def _body(code: str, detail: str) -> dict[str, Any]:
    return {
        "type": "about:blank",
        "title": "$context.error.responseType",
        "status": "$context.status",
        "code": code,
        "detail": detail,
        "request_id": "$context.requestId",
    }
