"""
The clients of AWS, with their time-outs.

They are botocore's own: boto3 adds resources and transfers, which nothing here uses. Lambda's INIT
builds those that requests need (`prepare`), all others are built when they are first used.
Where they connect to is botocore's own business (`AWS_ENDPOINT_URL`).
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

# Of one attempt. All calls of a request share its deadline (apps.core.deadline).
CONNECT_TIMEOUT_SECONDS = 1
READ_TIMEOUT_SECONDS = 5
ATTEMPTS = 3
FIRST_ERROR_STATUS = 300

# A session builds one client at a time.
_building = Lock()


def _lazy(service: str, **options: Any) -> Callable[[], Any]:
    """Return a function that builds a client once, at its first call. `options` are of botocore's Config."""
    return cache(lambda: _client(service, **options))


cognito: Callable[[], CognitoIdentityProviderClient] = _lazy("cognito-idp")
dynamodb: Callable[[], DynamoDBClient] = _lazy("dynamodb")
s3: Callable[[], S3Client] = _lazy("s3", signature_version="s3v4")
secrets_manager: Callable[[], SecretsManagerClient] = _lazy("secretsmanager")
logs: Callable[[], CloudWatchLogsClient] = _lazy("logs")
tagging: Callable[[], Any] = _lazy("resourcegroupstaggingapi")  # no types of it are installed
lambda_client: Callable[[], LambdaClient] = _lazy("lambda")
# Waits for a function's answer as long as a function may run, and asks only once.
lambda_client_long_timeout: Callable[[], LambdaClient] = _lazy(
    "lambda", read_timeout=900, tcp_keepalive=True, retries={"total_max_attempts": 1}
)
# Asks only once, since a creation asked for twice is refused.
cloudformation: Callable[[], CloudFormationClient] = _lazy(
    "cloudformation", read_timeout=60, retries={"total_max_attempts": 1}
)
# Waits up to 20 s between attempts, since an account may deploy one API in five seconds.
apigateway: Callable[[], APIGatewayClient] = _lazy(
    "apigateway", retries={"mode": "standard", "total_max_attempts": 8}
)


@cache
def post_policy_signer(bucket: str) -> tuple[str, S3PostPresigner]:
    """
    Return the URL that browsers post forms for a bucket to, and what signs these.

    The S3 client looks the bucket's address up for every form, which is two thirds of its time. Here it is
    looked up once. The client has no public name for its signer.

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
    """Return the session, which remembers its credentials."""
    from botocore.session import get_session  # noqa: PLC0415 (lazy: see the module's docstring)

    return get_session()


def _client(service: str, **options: Any) -> Any:
    from botocore.config import Config  # noqa: PLC0415 (lazy: see the module's docstring)

    usual: dict[str, Any] = {
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "read_timeout": READ_TIMEOUT_SECONDS,
        "retries": {"mode": "standard", "total_max_attempts": ATTEMPTS},
        # Signed URLs lead to the bucket's host in its region: the global host redirects there, and a browser
        # follows no redirect of a cross-origin upload. An emulator knows buckets by path only.
        "s3": {
            "addressing_style": "path" if settings.AWS_ENDPOINT_URL else "virtual",
            "us_east_1_regional_endpoint": "regional",
        },
    }
    region = settings.COGNITO_REGION if service == "cognito-idp" else settings.AWS_REGION
    with _building:
        client: Any = _session().create_client(
            service, region_name=region, config=Config(**{**usual, **options})
        )
    client.meta.events.register("before-parse", _refuse_garbage)
    _observe_deadline(client)
    return client


def _observe_deadline(client: Any) -> None:
    """Let each attempt of each call end at the deadline of the request; botocore offers no public way."""
    endpoint = client._endpoint  # noqa: SLF001

    def send(request: AWSPreparedRequest) -> AWSResponse:
        answer: AWSResponse = deadline.call(endpoint.http_session.send, request)
        return answer

    endpoint._send = send  # noqa: SLF001


def _refuse_garbage(
    *, operation_model: OperationModel, response_dict: Mapping[str, Any], **_event: Any
) -> None:
    """
    Refuse a successful answer whose body is not a JSON object: cut short, or not from AWS at all.

    botocore reads such a body as an empty answer, which means "there is no such item" to us. Members are
    skipped, not built: nothing is allocated at the depth of recursion at which Python gives up.
    """
    is_json = operation_model.service_model.metadata["protocol"] == "json"
    if not is_json or response_dict["status_code"] >= FIRST_ERROR_STATUS:
        return
    try:
        msgspec.json.decode(response_dict["body"] or b"{}", type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, RecursionError) as error:
        raise UpstreamError from error
