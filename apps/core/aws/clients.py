"""
The clients of AWS, with their time-outs.

They are botocore's own: boto3 adds resources and transfers, which nothing here uses. Lambda's INIT
builds those that requests need (`prepare`), all others are built when they are first used.
Where they connect to is botocore's own business (`AWS_ENDPOINT_URL`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from django.conf import settings

from apps.core import deadline
from apps.core.errors import UnavailableError, UpstreamError
from apps.core.once import once

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.awsrequest import AWSPreparedRequest, AWSResponse
    from botocore.model import OperationModel
    from botocore.session import Session
    from botocore.signers import S3PostPresigner
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient

# Of one attempt. All calls of a request share its deadline (apps.core.deadline).
CONNECT_TIMEOUT_SECONDS = 1
READ_TIMEOUT_SECONDS = 5
ATTEMPTS = 3
DEPLOYMENT_ATTEMPTS = 8  # with pauses of up to 20 s between them
PATIENT_SECONDS = 60
FIRST_ERROR_STATUS = 300
LONGEST_INVOCATION_SECONDS = 900  # Lambda's own limit


@once
def cognito() -> CognitoIdentityProviderClient:
    """Return the client of the user pool's region."""
    return _client("cognito-idp", region_name=settings.COGNITO_REGION)  # type: ignore[no-any-return]


@once
def dynamodb() -> DynamoDBClient:
    """Return the DynamoDB client."""
    return _client("dynamodb")  # type: ignore[no-any-return]


@once
def s3() -> S3Client:
    """
    Return the S3 client; its signatures are SigV4.

    Signed URLs name the bucket's host in its region: the global host redirects there, and a
    browser follows no redirect of a cross-origin upload. An emulator knows buckets by path only.
    """
    addressing = {
        "addressing_style": "path" if settings.AWS_ENDPOINT_URL else "virtual",
        "us_east_1_regional_endpoint": "regional",
    }
    return _client("s3", signature_version="s3v4", s3=addressing)  # type: ignore[no-any-return]


@once
def secrets_manager() -> SecretsManagerClient:
    """Return the Secrets Manager client."""
    return _client("secretsmanager")  # type: ignore[no-any-return]


@once
def cloudformation() -> CloudFormationClient:
    """Return the CloudFormation client; it asks only once, since a creation asked for twice is refused."""
    return _client("cloudformation", read_timeout=PATIENT_SECONDS, retries={"total_max_attempts": 1})  # type: ignore[no-any-return]


@once
def lambda_client() -> LambdaClient:
    """Return the Lambda client."""
    return _client("lambda")  # type: ignore[no-any-return]


@once
def apigateway() -> APIGatewayClient:
    """Return the client of REST APIs. It waits, since an account may deploy one API in five seconds."""
    return _client("apigateway", retries={"mode": "standard", "total_max_attempts": DEPLOYMENT_ATTEMPTS})  # type: ignore[no-any-return]


@once
def iam() -> IAMClient:
    """Return the IAM client."""
    return _client("iam")  # type: ignore[no-any-return]


@once
def logs() -> CloudWatchLogsClient:
    """Return the CloudWatch Logs client."""
    return _client("logs")  # type: ignore[no-any-return]


@once
def tagging() -> Any:
    """Return the client that finds resources by their tags (no types of it are installed)."""
    return _client("resourcegroupstaggingapi")


@once
def lambda_client_long_timeout() -> LambdaClient:
    """Return a Lambda client that waits for a function's answer and asks only once (commands)."""
    one_attempt = {"total_max_attempts": 1}
    return _client("lambda", read_timeout=LONGEST_INVOCATION_SECONDS, tcp_keepalive=True, retries=one_attempt)  # type: ignore[no-any-return]


class PostPolicySigner(NamedTuple):
    """Signs forms that browsers post into one bucket; `url` is where to."""

    url: str
    presigner: S3PostPresigner


@once
def post_policy_signer(bucket: str) -> PostPolicySigner:
    """
    Return what signs upload forms for the bucket.

    It is the very presigner that the S3 client uses, with the bucket's address looked up once:
    the client looks it up for every form, which is two thirds of its time.

    :raises UnavailableError: if there are no credentials to sign with
    """
    from botocore.signers import RequestSigner, S3PostPresigner  # noqa: PLC0415 (lazy)

    credentials = _session().get_credentials()
    if credentials is None:
        raise UnavailableError
    meta = s3().meta
    signer = RequestSigner(
        meta.service_model.service_id, meta.region_name, "s3", "s3v4", credentials, meta.events
    )
    url = s3().generate_presigned_post(bucket, "any")["url"]
    return PostPolicySigner(url, S3PostPresigner(signer))


def prepare() -> None:
    """Build the clients that sign-ins, uploads and changes of users need (Lambda's INIT, SnapStart)."""
    for client in (dynamodb, secrets_manager, s3, cognito):
        client()


def forget_clients() -> None:
    """Drop every client and the credentials, so that the next use creates them again (SnapStart, tests)."""
    for function in list(globals().values()):
        if isinstance(function, once):
            function.cache_clear()


@once
def _session() -> Session:
    """Return the session, which remembers its credentials."""
    from botocore.session import get_session  # noqa: PLC0415 (lazy: see the module's docstring)

    return get_session()


def _client(service: str, *, region_name: str = "", **options: Any) -> Any:
    from botocore.config import Config  # noqa: PLC0415 (lazy: see the module's docstring)

    usual: dict[str, Any] = {
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "read_timeout": READ_TIMEOUT_SECONDS,
        "retries": {"mode": "standard", "total_max_attempts": ATTEMPTS},
    }
    config = Config(**{**usual, **options})
    client: Any = _session().create_client(
        service,
        region_name=region_name or settings.AWS_REGION,
        config=config,
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
