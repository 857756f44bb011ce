"""`preview up`: create a preview, or update it to another commit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.deployment import smoke, smoke_account
from apps.deployment.aws import functions, stack
from apps.deployment.errors import StageError
from apps.deployment.previews import names, preview_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from apps.deployment.package.builder import Package
    from apps.deployment.settings.rendering import Stage

    Tell = Callable[[str], None]

KEPT_VERSIONS = 1  # beside the live one


def up(stage: Stage, package: Package, *, number: int, token: str, tell: Tell) -> dict[str, str]:
    """
    Create a preview or update it, and describe it. After an interruption the next run continues.

    :param token: a real token of staging; "" to sign in with the smoke account of staging
    :raises BusyError: if another run is changing the same preview
    :raises StageError: at the first failure; the version that answered before still answers
    """
    stack.require_secret_value(stage.outputs["ConfigurationSecret"])
    token = token or smoke_account.smoke_token(stage.outputs)
    preview_stack.settle(number)
    release, version = preview_stack.publish(stage, package, _upload(stage, package, number))
    tell(f"published version {version}")
    commit, expires = (stage.settings["tags"][name] for name in ("commit", "expires"))
    for line in (*smoke.try_out(stage, version, token), _check_commit(stage, version, commit)):
        tell(f"  {line}")
    preview_stack.make_live(stage, release, version)
    url = preview_stack.read(number).url
    tell(f"live: version {version} of commit {commit} at {url} until {expires}")
    functions.prune(stage.function, {version}, KEPT_VERSIONS)
    return {"preview": stage.name, "url": url, "commit": commit, "version": version, "expires": expires}


def _upload(stage: Stage, package: Package, number: int) -> str:
    key = f"{names.files(number)}{package.digest}.zip"
    with translate_errors(), package.path.open("rb") as content:
        clients.s3().put_object(Bucket=stage.outputs["DeploymentBucket"], Key=key, Body=content)
    return key


def _check_commit(stage: Stage, version: str, commit: str) -> str:
    outcome = functions.invoke(stage.function, smoke.event("/health/live", smoke.host(stage)), version)
    try:
        answer = json.loads(outcome.payload["body"])["commit"]
    except (KeyError, TypeError, ValueError):
        answer = outcome.reason
    if answer != commit:
        raise StageError(f"Version {version} says that it is of commit {answer}, not {commit}.")
    return f"GET /health/live: commit {commit}"
