"""
`preview down`: everything that a preview made goes, in whatever state it is, and then one looks.

Nothing here knows of domains, gateways' mappings or other stages: Zappa's `undeploy` deletes the
mapping of the domain that stands in its settings, and a preview that had inherited one took
production's along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.core.errors import ConflictError, NotFoundError
from apps.deployment.errors import BusyError, LeftBehindError
from apps.deployment.paths import BUILD
from apps.deployment.previews import function_url, inventory, names

if TYPE_CHECKING:
    from collections.abc import Callable

    Tell = Callable[[str], None]

MOST_AT_ONCE = 1000  # S3's own limit


def down(number: int, bucket: str, *, tell: Tell) -> None:
    """
    Remove a preview; of one that is not there nothing is removed, and that is well.

    :param bucket: where its files lie
    :raises BusyError: if it is being changed at this moment
    :raises LeftBehindError: if something is left, with all that is
    """
    there = inventory.of(number, bucket)
    _remove(number, bucket)
    left = inventory.of(number, bucket)
    for line in there:
        if line not in left:
            tell(f"removed {line}")
    if left:
        raise LeftBehindError(f"Of {names.stage(number)} there is still: {'; '.join(left)}.")
    tell(f"{names.stage(number)}: nothing is left")


def _remove(number: int, bucket: str) -> None:
    function = names.function(number)
    function_url.shut(function)  # first of all, what others can reach
    try:
        with translate_errors(
            ResourceNotFoundException=NotFoundError, ResourceConflictException=ConflictError
        ):
            clients.lambda_client().delete_function(FunctionName=function)
    except NotFoundError:
        pass
    except ConflictError as error:
        raise BusyError(f"{function} is being changed at this moment. Run this again.") from error
    _remove_stack(number)
    _remove_files(number, bucket)
    _remove_logs(number)  # last: until the function is gone, it may write
    for rendered in (BUILD / "stages").glob(f"{names.stage(number)}-*.json"):
        rendered.unlink(missing_ok=True)


def _remove_stack(number: int) -> None:
    if not inventory.has_stack(number):
        return
    name = names.function(number)
    with translate_errors():
        clients.cloudformation().delete_stack(StackName=name)
        clients.cloudformation().get_waiter("stack_delete_complete").wait(
            StackName=name, WaiterConfig={"Delay": 2, "MaxAttempts": 60}
        )


def _remove_files(number: int, bucket: str) -> None:
    versions = list(inventory.versions_of_files(number, bucket))
    for first in range(0, len(versions), MOST_AT_ONCE):
        some = versions[first : first + MOST_AT_ONCE]
        with translate_errors():
            clients.s3().delete_objects(Bucket=bucket, Delete={"Objects": some, "Quiet": True})  # type: ignore[typeddict-item]


def _remove_logs(number: int) -> None:
    try:
        with translate_errors(ResourceNotFoundException=NotFoundError):
            clients.logs().delete_log_group(logGroupName=names.log_group(number))
    except NotFoundError:
        pass
