"""
The CloudFormation stack of a preview, made from infrastructure/preview.yaml.

CloudFormation locks the stack, rolls back what fails and deletes what it created. It also refuses to move
the alias if another run has published another release in between (the template's rule).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.deployment.aws import provisioning, stack_updates
from apps.deployment.errors import BusyError
from apps.deployment.paths import PROJECT
from apps.deployment.previews import names

if TYPE_CHECKING:
    from apps.deployment.package.builder import Package
    from apps.deployment.settings.rendering import Stage

TEMPLATE = PROJECT / "infrastructure" / "preview.yaml"
USABLE = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}
DELETED = "DELETE_COMPLETE"
NEVER = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class PreviewStack:
    """A preview's stack; without a status, only files of a preview are left."""

    number: int
    status: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    changed: datetime = NEVER

    @property
    def url(self) -> str:
        """Return the URL of the live version, without a slash at the end; "" if there is none."""
        return self.outputs.get("Url", "").rstrip("/")

    def has_expired(self, now: datetime) -> bool:
        """Tell whether its lifetime is over; a stack without the tag does not expire."""
        return bool(self.tags.get("expires")) and datetime.fromisoformat(self.tags["expires"]) < now


def read(number: int) -> PreviewStack:
    """Return a preview's stack; without a status if there is none."""
    stack = stack_updates.describe(names.function(number))
    if stack is None:
        return PreviewStack(number)
    return PreviewStack(
        number,
        stack["StackStatus"],
        {each["Key"]: each["Value"] for each in stack.get("Tags", [])},
        {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])},
        stack.get("LastUpdatedTime", stack["CreationTime"]),
    )


def numbers() -> set[int]:
    """Return the numbers of all previews that have a stack."""
    with translate_errors():
        pages = clients.cloudformation().get_paginator("list_stacks").paginate()
        stacks = [stack for page in pages for stack in page["StackSummaries"]]
    present = [stack["StackName"] for stack in stacks if stack["StackStatus"] != DELETED]
    return {number for name in present if (number := names.after(names.FUNCTIONS, name)) is not None}


def settle(number: int) -> None:
    """Wait for the end of what an earlier run began. Delete a stack that CloudFormation cannot update."""
    if stack_updates.await_end(names.function(number)) not in {*USABLE, DELETED}:
        stack_updates.delete(names.function(number))


def publish(stage: Stage, package: Package, key: str) -> tuple[str, str]:
    """
    Create the stack or update it, and return the release and its version. The alias stays.

    :param key: of the package in the stage's deployment bucket
    :raises BusyError: if another run is changing the stack
    """
    release, template = _template(stage, package)
    parameters = {
        "Name": stage.function,
        "PackageBucket": stage.outputs["DeploymentBucket"],
        "PackageKey": key,
        "RoleArn": stage.settings["role_arn"],
        "LogDays": str(stage.own["log_retention_days"]),
        "Release": release,
        "ExpectedRelease": release,
    }
    before = stack_updates.describe(stage.function)
    tags = {name: value for name, value in stage.settings["tags"].items() if name != "commit"}
    if before:  # what answers is still the commit in these
        tags = {each["Key"]: each["Value"] for each in before.get("Tags", [])}
    stack_updates.change(before, stage.function, parameters, tags, template, TEMPLATE.name)
    if version := stack_updates.outputs(stage.function).get("Version"):
        return release, version
    raise BusyError(f"Another run has deleted the stack {stage.function}. Run this again.")


def make_live(stage: Stage, release: str, version: str) -> None:
    """
    Lead the URL to the version that `publish` returned, if the stack still has this release.

    :raises BusyError: if another run has published another release
    """
    before = stack_updates.describe(stage.function)
    tags = before.get("Tags", []) if before else []
    since = {each["Key"]: each["Value"] for each in tags if each["Key"] == "since"}
    parameters = {"LiveVersion": version, "ExpectedRelease": release}
    stack_updates.change(before, stage.function, parameters, {**stage.settings["tags"], **since})


def _template(stage: Stage, package: Package) -> tuple[str, str]:
    """Return the digest of package and settings, and the template that contains it."""
    settings = {
        **provisioning.function_settings(stage),
        "Architectures": [stage.settings["architecture"]],
        "ReservedConcurrentExecutions": stage.settings["lambda_concurrency"],
    }
    identity = json.dumps([package.digest, settings], sort_keys=True)
    release = hashlib.sha256(identity.encode()).hexdigest()[:16]
    template = json.loads(stack_updates.body(TEMPLATE).replace("ReleaseVersion", f"Version{release}"))
    template["Resources"]["Function"]["Properties"].update(settings)
    return release, json.dumps(template)
