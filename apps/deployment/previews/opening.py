"""
`preview up`: a preview made, or brought to another commit.

In this order, so that nothing half made can be seen: the log group, the function, a version, the
questions that it must answer, the alias, and last the URL. What has a URL has answered before.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.core.errors import ConflictError
from apps.deployment import smoke, smoke_account
from apps.deployment.aws import functions, provisioning, stack
from apps.deployment.errors import StageError
from apps.deployment.previews import function_url, names

if TYPE_CHECKING:
    from collections.abc import Callable

    from apps.deployment.package.builder import Package
    from apps.deployment.settings.rendering import Stage

    Tell = Callable[[str], None]

KEPT_VERSIONS = 1  # beside the one that is live: there is nothing to roll back to but a push


@dataclass(frozen=True, slots=True)
class PreviewInfo:
    """A preview that answers."""

    preview: str
    url: str
    commit: str
    version: str
    expires: str
    seconds: float

    @property
    def curl(self) -> str:
        """Return a line to paste into a shell that has a staging token in TOKEN."""
        return f'curl -H "Authorization: Bearer $TOKEN" {self.url}/auth/current_user'


def up(stage: Stage, package: Package, *, number: int, token: str, tell: Tell) -> PreviewInfo:
    """
    Make a preview, or bring it to another package or commit; cut off anywhere, it goes on from there.

    :param token: a real token of staging; "" to sign in with the account that staging keeps for this
    :raises BusyError: if somebody else is doing the same
    :raises StageError: at the first thing that is not as it should be; what answered before answers
    """
    begun = time.monotonic()
    _check_prerequisites(stage)
    token = token or smoke_account.smoke_token(stage.outputs)
    before = functions.live(stage.function)
    _create_log_group(stage, number)
    provisioning.create_or_update(stage, package, tell)
    variables = stage.settings["aws_environment_variables"]
    commit = variables["MOPED_API_COMMIT"]
    version = functions.publish(stage.function, package.digest, f"commit {commit}", variables)
    for line in (*smoke.try_out(stage, version, token), _check_commit(stage, version, commit)):
        tell(f"  {line}")
    if before is None or before.version != version:
        functions.make_live(stage.function, version, before)
    url = function_url.open_to_everybody(stage.function)
    tell(f"live: version {version} at {url}")
    _tag(stage)
    functions.prune(stage.function, {version}, KEPT_VERSIONS)
    expires = stage.settings["tags"]["expires"]
    return PreviewInfo(stage.name, url, commit, version, expires, round(time.monotonic() - begun, 1))


def _check_prerequisites(stage: Stage) -> None:
    stack.require_secret_value(stage.outputs["ConfigurationSecret"])
    stack.require_role(stage.settings["role_arn"])
    stack.require_bucket(stage.outputs["UploadsBucket"])


def _create_log_group(stage: Stage, number: int) -> None:
    """Make the log group before the function; its role could not, so none comes back after `down`."""
    group = names.log_group(number)
    try:
        with translate_errors(ResourceAlreadyExistsException=ConflictError):
            clients.logs().create_log_group(logGroupName=group, tags=stage.settings["tags"])
    except ConflictError:
        pass
    with translate_errors():
        clients.logs().put_retention_policy(
            logGroupName=group, retentionInDays=stage.own["log_retention_days"]
        )


def _check_commit(stage: Stage, version: str, commit: str) -> str:
    path = "/health/live"
    outcome = functions.invoke(stage.function, smoke.event(path, smoke.host(stage)), version)
    try:
        said = json.loads(outcome.payload["body"])["commit"]
    except (KeyError, TypeError, ValueError):
        said = outcome.reason
    if said != commit:
        raise StageError(f"Version {version} says that it is of commit {said}, not {commit}.")
    return f"GET {path}: commit {commit}"


def _tag(stage: Stage) -> None:
    """Say anew whose it is, of which commit and until when; since when was said at its birth."""
    tags = {name: value for name, value in stage.settings["tags"].items() if name != "since"}
    with translate_errors():
        arn = clients.lambda_client().get_function_configuration(FunctionName=stage.function)["FunctionArn"]
        clients.lambda_client().tag_resource(Resource=arn, Tags=tags)
