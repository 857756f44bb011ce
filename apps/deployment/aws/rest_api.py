"""
The entry point of a stage: a REST API.

API Gateway answers some requests by itself: too large, too many, or the function did not answer.
These responses get our error body and CORS here.
"""

import json
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from django.conf import settings

from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.core.errors import NotFoundError
from apps.deployment.settings.rendering import Stage

# Every kind of response that API Gateway gives by itself, by the status that it has:
# https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
# The default of both groups is for kinds that AWS adds.
KINDS = {
    400: "BAD_REQUEST_BODY BAD_REQUEST_PARAMETERS DEFAULT_4XX",
    401: "UNAUTHORIZED",
    403: "ACCESS_DENIED EXPIRED_TOKEN INVALID_API_KEY INVALID_SIGNATURE"
    " MISSING_AUTHENTICATION_TOKEN WAF_FILTERED",
    404: "RESOURCE_NOT_FOUND",
    413: "REQUEST_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: "QUOTA_EXCEEDED THROTTLED",
    500: "API_CONFIGURATION_ERROR AUTHORIZER_CONFIGURATION_ERROR AUTHORIZER_FAILURE DEFAULT_5XX",
    503: "INTEGRATION_FAILURE",
    504: "INTEGRATION_TIMEOUT",
}
RESPONSES = {kind: status for status, kinds in KINDS.items() for kind in kinds.split()}
REFUSED = ("refused", "The request was refused before it reached the API.")
UNAVAILABLE = ("unavailable", "The API did not answer. Try again in a moment.")
DETAILS = {
    413: ("body_too_large", "The body is too large."),
    429: ("too_many_requests", "There are too many requests. Try again in a moment."),
}
HEADERS = {
    "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",  # a refusal tells a page nothing
    "gatewayresponse.header.Content-Type": "'application/problem+json'",
}


def api_id(stage: Stage) -> str:
    """Return the id of the stage's REST API, from the stack that Zappa made; "" if there is none."""
    with suppress(NotFoundError), translate_errors(ValidationError=NotFoundError):
        resource = clients.cloudformation().describe_stack_resource(
            StackName=stage.function, LogicalResourceId="Api"
        )
        return resource["StackResourceDetail"]["PhysicalResourceId"]
    return ""


def url(stage: Stage) -> str:
    """Return where the stage answers, without a slash at the end; "" if it has no REST API."""
    api, region = api_id(stage), settings.AWS_REGION
    return f"https://{api}.execute-api.{region}.amazonaws.com/{stage.name}" if api else ""


def configure(stage: Stage) -> None:
    """
    Give the REST API's own responses our error body and CORS, and set its limits for all callers together.

    Changes and deploys only the responses that differ: AWS takes one deployment of an API in five seconds,
    and Zappa has just made one.
    """
    client, api = clients.apigateway(), api_id(stage)
    if not api:
        return
    limits = {"rateLimit": stage.own["requests_per_second"], "burstLimit": stage.own["requests_at_once"]}
    with translate_errors():
        pages = client.get_paginator("get_gateway_responses").paginate(restApiId=api)
        present = {each["responseType"]: each for page in pages for each in page["items"]}
        differing = [
            response
            for response in map(_gateway_response, RESPONSES)
            if not response.items() <= present.get(response["responseType"], {}).items()
        ]
        for response in differing:
            client.put_gateway_response(restApiId=api, **response)
        if differing:
            client.create_deployment(restApiId=api, stageName=stage.name, description="error bodies")
        client.update_stage(
            restApiId=api,
            stageName=stage.name,
            patchOperations=[
                {"op": "replace", "path": f"/*/*/throttling/{name}", "value": str(value)}
                for name, value in limits.items()
            ],
        )


def _gateway_response(kind: str) -> dict[str, Any]:
    """
    Return the response that a kind should have.

    The status is a number that we know: `$context.status` is empty in a gateway response.
    """
    from apps.core.http import problems  # noqa: PLC0415 (it needs the settings, which Django reads later)

    status = RESPONSES[kind]
    usual = UNAVAILABLE if status >= HTTPStatus.INTERNAL_SERVER_ERROR else REFUSED
    code, detail = DETAILS.get(status, usual)
    problem = problems.details(status, code, detail, request_id="$context.requestId")
    return {
        "responseType": kind,
        "statusCode": str(status),
        "responseParameters": HEADERS,
        "responseTemplates": {"application/json": json.dumps(problem)},
    }
