"""
The function that compares the staff accounts: each night by schedule, and for an operator.

It is the stage's package under another role and with more time. Its alias moves with the stage's.
"""

from collections.abc import Callable
from dataclasses import replace

from apps.deployment.aws import functions
from apps.deployment.package.builder import Package
from apps.deployment.settings import zappa_settings
from apps.deployment.settings.rendering import Stage

Tell = Callable[[str], None]
COMMAND = "reconcile_users"
SETTINGS = {
    "timeout_seconds": 900,  # the most that Lambda allows; the command stops a minute earlier
    "lambda_concurrency": 1,
    "lambda_description": "Compares the staff accounts of the Moped API",
}


def derived(stage: Stage) -> Stage:
    """Return the stage with the settings of this function."""
    role = {"role_arn": stage.outputs["ReconciliationRoleArn"]}
    settings = zappa_settings.merged(stage.settings, {**SETTINGS, **role})
    return replace(stage, function=stage.outputs["ReconciliationFunction"], settings=settings)


def publish(stage: Stage, package: Package, description: str) -> None:
    """
    Give the function a package and the stage's variables, and publish a version with both.

    :raises BusyError: if another process is changing it too
    """
    own = derived(stage)
    functions.create_or_update(own, package)
    functions.publish(own.function, package.digest, description)


def follow(stage: Stage, version: str, tell: Tell) -> None:
    """
    Let the schedule and `stage manage` call the package that a version of the stage's function has.

    :raises BusyError: if another process moved the alias in between
    """
    function, checksum = derived(stage).function, functions.versions(stage.function)[version]
    own = functions.versions(function) if functions.exists(function) else {}
    newest_first = reversed(own)
    same = next((number for number in newest_first if own[number] == checksum), "")
    if not same:
        tell(f"{function} has no version with this package and stays as it is")
        return
    before = functions.live(function)
    functions.make_live(function, same, before)
    functions.prune(function, {same, before.version if before else ""})
    tell(f"{function} has the same package")
