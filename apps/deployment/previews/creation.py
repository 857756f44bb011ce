"""
`preview up`: create the CloudFormation stack of a preview, or update it to another commit.

All previews share one entry of zappa_settings.json. They differ in their names, the prefixes of their files
and their tags.

infrastructure/preview.yaml is the template. CloudFormation locks the stack, rolls back a failed update and
deletes its resources. It refuses to move the alias if another run has published another release.
"""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.deployment import smoke
from apps.deployment.aws import functions, stack, stack_updates
from apps.deployment.errors import BusyError
from apps.deployment.package.builder import Package
from apps.deployment.paths import INFRASTRUCTURE
from apps.deployment.previews import names
from apps.deployment.settings import rendering, zappa_settings
from apps.deployment.settings.rendering import Stage

TEMPLATE = INFRASTRUCTURE / "preview.yaml"
CAN_BE_UPDATED = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}
NOT_IN_TAGS = re.compile(r"[^a-zA-Z0-9 _.:/=+@-]")


def render(number: int, *, commit: str, owner: str, changes: dict[str, Any]) -> Stage:
    """
    Return the stage of a preview, with the outputs of staging's stack.

    :param changes: settings that override the file's (a rehearsal's variables)
    :raises StageError: if the settings are invalid, or the stack is not set up for previews
    """
    document = zappa_settings.read()
    name, now = names.stage(number), datetime.now(UTC).replace(microsecond=0)
    lifetime = timedelta(days=zappa_settings.flatten(document, names.PATTERN)["moped"]["lifetime_days"])
    document[name] = {
        "extends": names.PATTERN,
        "lambda_description": f"The Moped API, preview of pull request {number}",
        "aws_environment_variables": {"MOPED_API_UPLOADS_PREFIX": names.files(number)},
        "tags": {
            "stage": name,
            "pull-request": str(number),
            "owner": NOT_IN_TAGS.sub("-", owner),
            "since": now.isoformat(),
            "expires": (now + lifetime).isoformat(),
        },
    }
    return rendering.render(name, commit=commit, changes=changes, document=document)


def up(stage: Stage, package: Package, *, tell: Callable[[str], None]) -> dict[str, str]:
    """
    Create or update a preview, and return its description. After an interruption, the next run continues.

    :raises BusyError: if another run is changing the same preview
    :raises StageError: at the first failure. The previous version still answers
    """
    stack.require_secret_value(stage.outputs["ConfigurationSecret"])
    token = smoke.smoke_token(stage.outputs)
    if stack_updates.await_end(stage.function) not in CAN_BE_UPDATED:
        stack_updates.delete(stage.function)
    release, version = publish(stage, package)
    tell(f"published version {version}")
    for line in smoke.try_out(stage, version, token):
        tell(f"  {line}")
    url = make_live(stage, release, version)
    about = {name: stage.settings["tags"][name] for name in ("commit", "expires")}
    tell(f"live: version {version} of commit {about['commit']} at {url} until {about['expires']}")
    return {"preview": stage.name, "url": url, "version": version, **about}


def publish(stage: Stage, package: Package) -> tuple[str, str]:
    """
    Create or update the stack, and return the release and its version. The alias does not move.

    The release is the digest of package and settings. It is part of the version's logical id.

    :raises BusyError: if another run is changing the stack
    """
    key = f"{names.files(int(stage.settings['tags']['pull-request']))}{package.digest}.zip"
    with translate_errors(), package.path.open("rb") as content:
        clients.s3().put_object(Bucket=stage.outputs["DeploymentBucket"], Key=key, Body=content)
    settings = {
        **functions.function_settings(stage),
        "Architectures": [stage.settings["architecture"]],
        "ReservedConcurrentExecutions": stage.settings["lambda_concurrency"],
    }
    identity = json.dumps([package.digest, settings], sort_keys=True)
    release = hashlib.sha256(identity.encode()).hexdigest()[:16]
    template = json.loads(stack_updates.body(TEMPLATE).replace("ReleaseVersion", f"Version{release}"))
    template["Resources"]["Function"]["Properties"].update(settings)
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
    # The tag `commit` names the live commit. An existing stack keeps its tags, and a new one has no commit.
    new_tags = {name: value for name, value in stage.settings["tags"].items() if name != "commit"}
    tags = stack_updates.tags_of(before) or new_tags
    stack_updates.change(before, stage.function, parameters, tags, json.dumps(template), TEMPLATE.name)
    if version := stack_updates.outputs(stage.function).get("Version"):
        return release, version
    raise BusyError(f"Another run has deleted the stack {stage.function}. Run this again.")


def make_live(stage: Stage, release: str, version: str) -> str:
    """
    Point the URL to the version that `publish` returned, and return the URL.

    :raises BusyError: if another run has published another release
    """
    before = stack_updates.describe(stage.function)
    since = {name: value for name, value in stack_updates.tags_of(before).items() if name == "since"}
    parameters = {"LiveVersion": version, "ExpectedRelease": release}
    stack_updates.change(before, stage.function, parameters, {**stage.settings["tags"], **since})
    return stack_updates.outputs(stage.function).get("Url", "").rstrip("/")
