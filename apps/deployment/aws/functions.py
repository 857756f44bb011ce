"""
The Lambda function of a stage: its settings, its versions, and the alias `live`, which gets the traffic.

This module updates code, processor and variables, because Zappa's `update` has two faults. It publishes a
version before it changes the variables, and it keeps the processor and removed variables.
"""

import base64
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.core.errors import ConflictError, NotFoundError, UpstreamError
from apps.deployment.errors import UNKNOWN_ROLE, BusyError
from apps.deployment.package.builder import Package
from apps.deployment.settings.rendering import Stage

LIVE = "live"
LATEST = "$LATEST"
KEPT_VERSIONS = 10
ROLE_ATTEMPTS, ROLE_PAUSE_SECONDS = 10, 3.0
# Most changes take less than botocore's default delay. A function in a network takes a minute.
POLL_INTERVAL: Any = {"Delay": 0.2, "MaxAttempts": 900}  # fractions work, though botocore's types forbid them


class Alias(NamedTuple):
    """The alias `live`: its version and the version before."""

    version: str
    previous: str
    revision: str
    arn: str = ""


class Invocation(NamedTuple):
    """The result of a direct invocation."""

    payload: Any
    failed: bool

    @property
    def reason(self) -> str:
        """Return the error message on one line."""
        message = self.payload.get("errorMessage", "") if isinstance(self.payload, dict) else self.payload
        return " ".join(str(message or "no reason given").split())


def exists(function: str) -> bool:
    """Return whether the function exists."""
    with suppress(NotFoundError), translate_errors(ResourceNotFoundException=NotFoundError):
        clients.lambda_client().get_function(FunctionName=function)
        return True
    return False


@contextmanager
def busy_on_conflict(message: str, *codes: str) -> Iterator[None]:
    """
    Turn Lambda's conflict errors into BusyError.

    :param codes: more error codes that mean a conflict
    :raises BusyError: with the message
    """
    conflicts = ("PreconditionFailedException", "ResourceConflictException", *codes)
    try:
        with translate_errors(**dict.fromkeys(conflicts, ConflictError)):
            yield
    except ConflictError as error:
        raise BusyError(message) from error


def checksum_of(digest: str) -> str:
    """Return a hexadecimal SHA-256 in Lambda's form (Base64)."""
    return base64.b64encode(bytes.fromhex(digest)).decode()


def wait_until_ready(function: str) -> dict[str, Any]:
    """Wait until Lambda has applied the last change. Return the function's configuration."""
    client = clients.lambda_client()
    with translate_errors():
        for state in ("function_active_v2", "function_updated_v2"):
            client.get_waiter(state).wait(FunctionName=function, WaiterConfig=POLL_INTERVAL)
        return dict(client.get_function_configuration(FunctionName=function))


def create_or_update(stage: Stage, package: Package) -> None:
    """
    Create or update a function with a package and the settings of its stage. The traffic does not move.

    Retry while Lambda does not know the role. IAM takes some seconds to copy a new role everywhere:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency

    :raises BusyError: if another process changes it at the same time
    """
    for _ in range(ROLE_ATTEMPTS):
        try:
            return _create_or_update(stage, package)
        except UpstreamError as error:
            if UNKNOWN_ROLE not in str(error.__cause__):
                raise
            time.sleep(ROLE_PAUSE_SECONDS)
    return _create_or_update(stage, package)


def _create_or_update(stage: Stage, package: Package) -> None:
    name, client = stage.function, clients.lambda_client_long_timeout()
    code, checksum = package.path.read_bytes(), checksum_of(package.digest)
    architectures: Any = [stage.settings["architecture"]]
    settings = function_settings(stage)
    with busy_on_conflict(
        f"Another process is changing {name}. The previous version still answers. Run this again."
    ):
        if not exists(name):
            client.create_function(
                FunctionName=name,
                Code={"ZipFile": code},
                Architectures=architectures,
                Tags=stage.settings["tags"],
                **settings,
            )
        present = wait_until_ready(name)
        if (present["CodeSha256"], present["Architectures"]) != (checksum, architectures):
            client.update_function_code(
                FunctionName=name,
                ZipFile=code,
                Architectures=architectures,
                RevisionId=present["RevisionId"],
            )
            present = wait_until_ready(name)
        client.update_function_configuration(FunctionName=name, RevisionId=present["RevisionId"], **settings)
        client.put_function_concurrency(
            FunctionName=name, ReservedConcurrentExecutions=stage.settings["lambda_concurrency"]
        )
        wait_until_ready(name)


def function_settings(stage: Stage) -> dict[str, Any]:
    """Return a function's settings, by their names in Lambda's API and CloudFormation."""
    settings = stage.settings
    network = {"VpcConfig": settings["vpc_config"]} if "vpc_config" in settings else {}
    return {
        "Role": settings["role_arn"],
        "Handler": settings["lambda_handler"],
        "Runtime": settings["runtime"],
        "Timeout": settings["timeout_seconds"],
        "MemorySize": settings["memory_size"],
        "Description": settings["lambda_description"],
        "Environment": {"Variables": settings["aws_environment_variables"]},
        **network,
    }


def publish(function: str, digest: str, description: str) -> str:
    """
    Publish a version, if the function still has this package.

    :param digest: the package's SHA-256, in hexadecimal
    :raises BusyError: if another deployment replaced the package
    """
    client = clients.lambda_client()
    with busy_on_conflict(
        f"Another process is deploying {function} too. Nothing was made live."
        " Try again when it has finished.",
        "InvalidParameterValueException",  # the function has another package
    ):
        wait_until_ready(function)
        published = client.publish_version(
            FunctionName=function, CodeSha256=checksum_of(digest), Description=description
        )
        client.get_waiter("published_version_active").wait(
            FunctionName=function, Qualifier=published["Version"], WaiterConfig=POLL_INTERVAL
        )
    return published["Version"]


def live_alias(function: str) -> Alias | None:
    """Return the alias `live`, or None before the first deployment."""
    with suppress(NotFoundError), translate_errors(ResourceNotFoundException=NotFoundError):
        alias = clients.lambda_client().get_alias(FunctionName=function, Name=LIVE)
        previous = alias.get("Description", "").removeprefix("before: ")
        return Alias(alias["FunctionVersion"], previous, alias["RevisionId"], alias["AliasArn"])
    return None


def make_live(function: str, version: str, before: Alias | None) -> None:
    """
    Move the alias `live` to a version, or create it. Refuse if it has changed since `before` was read.

    :raises BusyError: if another process moved it
    """
    client = clients.lambda_client()
    change: Any = client.update_alias if before else client.create_alias
    revision = {"RevisionId": before.revision} if before else {}
    description = f"before: {before.version}" if before else ""
    with busy_on_conflict(f"Another process moved the traffic of {function} just now. Look at its status."):
        change(FunctionName=function, Name=LIVE, FunctionVersion=version, Description=description, **revision)


def versions(function: str) -> dict[str, str]:
    """Return the published versions with the checksum of each package, oldest first."""
    with translate_errors():
        paginator = clients.lambda_client().get_paginator("list_versions_by_function")
        pages = paginator.paginate(FunctionName=function)
        checksums = {each["Version"]: each["CodeSha256"] for page in pages for each in page["Versions"]}
    return {version: checksums[version] for version in sorted(checksums.keys() - {LATEST}, key=int)}


def prune(function: str, keep: set[str]) -> None:
    """Delete old versions beyond the newest ten, except those in `keep`."""
    for version in [*versions(function)][:-KEPT_VERSIONS]:
        if version not in keep:
            delete(function, Qualifier=version)


def delete(function: str, **qualifier: str) -> None:
    """Delete a function or one version. A missing one is no error, because botocore may repeat the call."""
    with suppress(NotFoundError), translate_errors(ResourceNotFoundException=NotFoundError):
        clients.lambda_client().delete_function(FunctionName=function, **qualifier)


def invoke(function: str, event: Mapping[str, Any], qualifier: str) -> Invocation:
    """Send an event to one version, without the gateway."""
    with translate_errors():
        answer = clients.lambda_client_long_timeout().invoke(
            FunctionName=function, Qualifier=qualifier, Payload=json.dumps(event)
        )
        payload = json.loads(answer["Payload"].read() or b"null")
    return Invocation(payload, "FunctionError" in answer)
