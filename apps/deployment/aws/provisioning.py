"""
Code and settings of a function that Zappa does not deploy: the comparison of accounts.

Zappa's `deploy` refuses a function that is there and its `update` one that is half there; both
change the code first and the variables later. Here every step asks what there is and compares
before it changes (Lambda's revision), so it can be cut off anywhere and begun again, and of two
that run at once the earlier one gives way. Nothing of it can be seen from outside: that is the alias's doing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.core.errors import ConflictError, NotFoundError
from apps.deployment.aws import functions
from apps.deployment.errors import BusyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from apps.deployment.package.builder import Package
    from apps.deployment.settings.rendering import Stage

    Tell = Callable[[str], None]

CONFLICTS: Any = {
    "PreconditionFailedException": ConflictError,
    "ResourceConflictException": ConflictError,
}


def create_or_update(stage: Stage, package: Package, tell: Tell) -> None:
    """
    Let the function have this package and these settings.

    :raises BusyError: if another process is changing it too
    """
    try:
        with translate_errors(**CONFLICTS):
            _bring(stage, package, tell)
    except ConflictError as error:
        raise _busy(stage) from error


def _bring(stage: Stage, package: Package, tell: Tell) -> None:
    now = _get(stage)
    if now is None:
        now = _create(stage, package)
        tell(f"made {stage.function}, which cannot be reached yet")
    elif not _has_package(package, now):
        now = _update_code(stage, package, now["RevisionId"])
        tell(f"gave {stage.function} its code; what answers is what answered before")
    if not _has_package(package, now):  # another process came in between: it may go on
        raise _busy(stage)
    if not _has_configuration(stage, now):
        now = _update_configuration(stage, now["RevisionId"])
        tell(f"gave {stage.function} its settings")
    if not (_has_package(package, now) and _has_configuration(stage, now)):
        raise _busy(stage)
    # Each request that runs costs; a loop in unreviewed code must not cost without end.
    clients.lambda_client().put_function_concurrency(
        FunctionName=stage.function, ReservedConcurrentExecutions=stage.settings["lambda_concurrency"]
    )


def _get(stage: Stage) -> dict[str, Any] | None:
    try:
        with translate_errors(ResourceNotFoundException=NotFoundError):
            clients.lambda_client().get_function_configuration(FunctionName=stage.function)
    except NotFoundError:
        return None
    return _wait_until_ready(stage)


def _create(stage: Stage, package: Package) -> dict[str, Any]:
    _give_role(
        clients.lambda_client_long_timeout().create_function,
        FunctionName=stage.function,
        Code={"ZipFile": package.path.read_bytes()},
        Tags=stage.settings["tags"],
        Architectures=[stage.settings["architecture"]],
        **function_settings(stage),
    )
    return _wait_until_ready(stage)


def _update_code(stage: Stage, package: Package, revision: str) -> dict[str, Any]:
    clients.lambda_client_long_timeout().update_function_code(
        FunctionName=stage.function,
        ZipFile=package.path.read_bytes(),
        Architectures=[stage.settings["architecture"]],
        RevisionId=revision,
    )
    return _wait_until_ready(stage)


def _update_configuration(stage: Stage, revision: str) -> dict[str, Any]:
    _give_role(
        clients.lambda_client_long_timeout().update_function_configuration,
        FunctionName=stage.function,
        RevisionId=revision,
        **function_settings(stage),
    )
    return _wait_until_ready(stage)


def _give_role(call: Callable[..., Any], **arguments: Any) -> None:
    def give_role() -> None:
        with translate_errors(**CONFLICTS):
            call(**arguments)

    functions.repeat_until_role_is_known(give_role)


def _wait_until_ready(stage: Stage) -> dict[str, Any]:
    """Return the configuration once Lambda has done what it was told: only then its revision holds."""
    client = clients.lambda_client()
    for state in ("function_active_v2", "function_updated_v2"):
        client.get_waiter(state).wait(FunctionName=stage.function, WaiterConfig=functions.POLL_INTERVAL)
    return dict(client.get_function_configuration(FunctionName=stage.function))


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


def _has_package(package: Package, now: dict[str, Any]) -> bool:
    return bool(now["CodeSha256"] == functions.checksum_of(package.digest))


def _has_configuration(stage: Stage, now: dict[str, Any]) -> bool:
    target = function_settings(stage)
    network = target.pop("VpcConfig", {})  # Lambda adds to it what it knows
    return all(now.get(name) == value for name, value in target.items()) and all(
        sorted(now.get("VpcConfig", {}).get(name, [])) == sorted(value) for name, value in network.items()
    )


def _busy(stage: Stage) -> BusyError:
    return BusyError(
        f"Another process is changing {stage.function}. The previous version still answers. Run this again."
    )
