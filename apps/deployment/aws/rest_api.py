"""
The REST API of a stage in API Gateway.

API Gateway answers some requests itself: if they are too large or too many, or if the function does not
answer. This module gives these responses our error body and CORS.
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

# All kinds of responses that API Gateway gives itself, by HTTP status:
# https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
# AWS uses the two DEFAULT kinds for all kinds that are not listed.
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
    "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",  # errors contain no data
    "gatewayresponse.header.Content-Type": "'application/problem+json'",
}


def api_id(stage: Stage) -> str:
    """Return the id of the stage's REST API from Zappa's stack, or "" if there is none."""
    with suppress(NotFoundError), translate_errors(ValidationError=NotFoundError):
        resource = clients.cloudformation().describe_stack_resource(
            StackName=stage.function, LogicalResourceId="Api"
        )
        return resource["StackResourceDetail"]["PhysicalResourceId"]
    return ""


def url(stage: Stage) -> str:
    """Return the URL of the stage without a slash at the end, or "" if it has no REST API."""
    api, region = api_id(stage), settings.AWS_REGION
    return f"https://{api}.execute-api.{region}.amazonaws.com/{stage.name}" if api else ""


def configure(stage: Stage) -> None:
    """
    Set the error responses of the REST API, and its rate limits for all callers together.

    Change and deploy only responses that differ, because AWS allows one deployment in five seconds and
    Zappa has just made one.
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
    Return the response for a kind.

    It contains the status as a number, because `$context.status` is empty in a gateway response.
    """
    from apps.core.http import problems  # noqa: PLC0415 (it reads Django's settings)

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
