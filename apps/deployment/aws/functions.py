"""
The function of a stage at Lambda: its versions, and the alias `live` that traffic goes to.

Zappa's `update` would publish a version before it changes the variables, and keep the processor and the
variables that the settings no longer have. So the code and these are changed here.
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
# Mostly it takes less than the seconds that botocore would sleep; a network takes a minute.
POLL_INTERVAL: Any = {"Delay": 0.2, "MaxAttempts": 900}  # botocore takes parts of a second; its types do not


class Alias(NamedTuple):
    """Where traffic goes, and where it went before."""

    version: str
    previous: str
    revision: str
    arn: str = ""


class Invocation(NamedTuple):
    """What a direct invocation gave."""

    payload: Any
    failed: bool

    @property
    def reason(self) -> str:
        """Return why it failed, on one line."""
        message = self.payload.get("errorMessage", "") if isinstance(self.payload, dict) else self.payload
        return " ".join(str(message or "no reason given").split())


def exists(function: str) -> bool:
    """Return whether there is such a function."""
    with suppress(NotFoundError), translate_errors(ResourceNotFoundException=NotFoundError):
        clients.lambda_client().get_function(FunctionName=function)
        return True
    return False


@contextmanager
def busy_on_conflict(message: str, *codes: str) -> Iterator[None]:
    """
    Report that another process has changed a function in between.

    :param codes: further errors that Lambda reports then
    :raises BusyError: with the message
    """
    conflicts = ("PreconditionFailedException", "ResourceConflictException", *codes)
    try:
        with translate_errors(**dict.fromkeys(conflicts, ConflictError)):
            yield
    except ConflictError as error:
        raise BusyError(message) from error


def checksum_of(digest: str) -> str:
    """Return the form in which Lambda gives a package's SHA-256, from the hexadecimal one."""
    return base64.b64encode(bytes.fromhex(digest)).decode()


def settled(function: str) -> dict[str, Any]:
    """Return the configuration of a function as soon as Lambda has made the last change to it."""
    client = clients.lambda_client()
    with translate_errors():
        for state in ("function_active_v2", "function_updated_v2"):
            client.get_waiter(state).wait(FunctionName=function, WaiterConfig=POLL_INTERVAL)
        return dict(client.get_function_configuration(FunctionName=function))


def create_or_update(stage: Stage, package: Package) -> None:
    """
    Give a function a package and the settings of its stage. Traffic stays.

    Repeat it while Lambda does not know the role. A new one is known everywhere after some seconds:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency

    :raises BusyError: if another process is changing it too
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
        present = settled(name)
        if (present["CodeSha256"], present["Architectures"]) != (checksum, architectures):
            client.update_function_code(
                FunctionName=name,
                ZipFile=code,
                Architectures=architectures,
                RevisionId=present["RevisionId"],
            )
            present = settled(name)
        client.update_function_configuration(FunctionName=name, RevisionId=present["RevisionId"], **settings)
        client.put_function_concurrency(
            FunctionName=name, ReservedConcurrentExecutions=stage.settings["lambda_concurrency"]
        )
        settled(name)


def function_settings(stage: Stage) -> dict[str, Any]:
    """Return what Lambda's API and CloudFormation call the settings of a function."""
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
    Publish a version of what was deployed, if that is still the package we mean.

    :param digest: the package's SHA-256, in hexadecimal
    :raises BusyError: if another deployment came in between
    """
    client = clients.lambda_client()
    with busy_on_conflict(
        f"Another process is deploying {function} too. Nothing was made live."
        " Try again when it has finished.",
        "InvalidParameterValueException",  # another package
    ):
        settled(function)
        published = client.publish_version(
            FunctionName=function, CodeSha256=checksum_of(digest), Description=description
        )
        client.get_waiter("published_version_active").wait(
            FunctionName=function, Qualifier=published["Version"], WaiterConfig=POLL_INTERVAL
        )
    return published["Version"]


def live(function: str) -> Alias | None:
    """Return where traffic goes, or None before the first deployment has been made live."""
    with suppress(NotFoundError), translate_errors(ResourceNotFoundException=NotFoundError):
        alias = clients.lambda_client().get_alias(FunctionName=function, Name=LIVE)
        previous = alias.get("Description", "").removeprefix("before: ")
        return Alias(alias["FunctionVersion"], previous, alias["RevisionId"], alias["AliasArn"])
    return None


def make_live(function: str, version: str, before: Alias | None) -> None:
    """
    Move the traffic, if it still goes where we believe; the first time, make the alias.

    :raises BusyError: if another process moved it in between
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
    """Delete old versions, except those that traffic goes to or may return to."""
    for version in [*versions(function)][:-KEPT_VERSIONS]:
        if version not in keep:
            delete(function, Qualifier=version)


def delete(function: str, **qualifier: str) -> None:
    """Delete a function or one version, if there is one: botocore repeats a call whose answer was lost."""
    with suppress(NotFoundError), translate_errors(ResourceNotFoundException=NotFoundError):
        clients.lambda_client().delete_function(FunctionName=function, **qualifier)


def invoke(function: str, event: Mapping[str, Any], qualifier: str) -> Invocation:
    """Send an event to one version, past the gateway."""
    with translate_errors():
        answer = clients.lambda_client_long_timeout().invoke(
            FunctionName=function, Qualifier=qualifier, Payload=json.dumps(event)
        )
        payload = json.loads(answer["Payload"].read() or b"null")
    return Invocation(payload, "FunctionError" in answer)
