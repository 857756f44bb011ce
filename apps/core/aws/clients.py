"""
Clients for AWS, with their time-outs.

They come from botocore. boto3 would add resources and transfers, which this project does not use. Lambda's
INIT builds the clients that requests need (`prepare`). Every other client is built at its first use.
botocore itself reads their endpoint from `AWS_ENDPOINT_URL`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

import msgspec
from django.conf import settings

from apps.core import deadline
from apps.core.errors import UpstreamError

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse
    from botocore.model import OperationModel
    from botocore.session import Session
    from botocore.signers import S3PostPresigner
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient

# Time-outs of one attempt. All calls of a request share its deadline (apps.core.deadline).
CONNECT_TIMEOUT_SECONDS = 1
READ_TIMEOUT_SECONDS = 5
ATTEMPTS = 3
FIRST_ERROR_STATUS = 300

# A session of botocore can build only one client at a time.
_building = Lock()


def _lazy(service: str, **options: Any) -> Callable[[], Any]:
    """Return a function that builds a client once, at its first call. `options` are for botocore's Config."""
    return cache(lambda: _client(service, **options))


cognito: Callable[[], CognitoIdentityProviderClient] = _lazy("cognito-idp")
dynamodb: Callable[[], DynamoDBClient] = _lazy("dynamodb")
s3: Callable[[], S3Client] = _lazy("s3", signature_version="s3v4")
secrets_manager: Callable[[], SecretsManagerClient] = _lazy("secretsmanager")
logs: Callable[[], CloudWatchLogsClient] = _lazy("logs")
tagging: Callable[[], Any] = _lazy("resourcegroupstaggingapi")  # its types are not installed
lambda_client: Callable[[], LambdaClient] = _lazy("lambda")
# Waits for an answer as long as a function may run, and never retries.
lambda_client_long_timeout: Callable[[], LambdaClient] = _lazy(
    "lambda", read_timeout=900, tcp_keepalive=True, retries={"total_max_attempts": 1}
)
# Never retries: CloudFormation refuses the second of two requests to create a stack.
cloudformation: Callable[[], CloudFormationClient] = _lazy(
    "cloudformation", read_timeout=60, retries={"total_max_attempts": 1}
)
# Waits up to 20 s between attempts: an account may deploy only one API every five seconds.
apigateway: Callable[[], APIGatewayClient] = _lazy(
    "apigateway", retries={"mode": "standard", "total_max_attempts": 8}
)


@cache
def post_policy_signer(bucket: str) -> tuple[str, S3PostPresigner]:
    """
    Return the URL to which browsers post forms for a bucket, and the signer of these forms.

    The S3 client looks up the bucket's URL for every form, which takes two thirds of the time. Here it is
    looked up once. The client has no public attribute for its signer.

    :raises NoCredentialsError: if there are no credentials to sign with
    """
    from botocore.signers import S3PostPresigner  # noqa: PLC0415 (lazy)

    url = s3().generate_presigned_url("head_bucket", {"Bucket": bucket}).partition("?")[0]
    return url, S3PostPresigner(s3()._request_signer)  # type: ignore[attr-defined] # noqa: SLF001


def prepare() -> None:
    """Build the clients that sign-ins, uploads and changes of users need (Lambda's INIT, SnapStart)."""
    for client in (dynamodb, secrets_manager, s3, cognito):
        client()


def forget_clients() -> None:
    """Drop every client and the credentials, so that the next use creates them again (SnapStart, tests)."""
    for function in list(globals().values()):
        if hasattr(function, "cache_clear"):
            function.cache_clear()


@cache
def _session() -> Session:
    """Return the session, which keeps its credentials."""
    from botocore.session import get_session  # noqa: PLC0415 (lazy: see the module's docstring)

    return get_session()


def _client(service: str, **options: Any) -> Any:
    from botocore.config import Config  # noqa: PLC0415 (lazy: see the module's docstring)

    defaults: dict[str, Any] = {
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "read_timeout": READ_TIMEOUT_SECONDS,
        "retries": {"mode": "standard", "total_max_attempts": ATTEMPTS},
        # Signed URLs name the bucket's host in its region. The global host would redirect there, and browsers
        # do not follow redirects of a cross-origin upload. An emulator finds buckets only by path.
        "s3": {
            "addressing_style": "path" if settings.AWS_ENDPOINT_URL else "virtual",
            "us_east_1_regional_endpoint": "regional",
        },
    }
    region = settings.COGNITO_REGION if service == "cognito-idp" else settings.AWS_REGION
    with _building:
        client: Any = _session().create_client(
            service, region_name=region, config=Config(**{**defaults, **options})
        )
    client.meta.events.register("before-parse", _require_json_object)
    _observe_deadline(client)
    return client


def _observe_deadline(client: Any) -> None:
    """End each attempt at the deadline of the request. botocore has no public hook for it."""
    endpoint = client._endpoint  # noqa: SLF001

    def send(request: AWSPreparedRequest) -> AWSResponse:
        answer: AWSResponse = deadline.call(endpoint.http_session.send, request)
        return answer

    endpoint._send = send  # noqa: SLF001


def _require_json_object(
    *, operation_model: OperationModel, response_dict: Mapping[str, Any], **_event: Any
) -> None:
    """
    Refuse a successful answer whose body is not a JSON object: it is incomplete, or not from AWS.

    botocore would read it as an empty answer, and we would report that there is no such item. `msgspec.Raw`
    skips members without building them, so nothing is allocated when Python reaches its recursion limit.
    """
    is_json = operation_model.service_model.metadata["protocol"] == "json"
    if not is_json or response_dict["status_code"] >= FIRST_ERROR_STATUS:
        return
    try:
        msgspec.json.decode(response_dict["body"] or b"{}", type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, RecursionError) as error:
        raise UpstreamError from error
