"""`preview down`: delete a preview, then list what is left, by name and by tag."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.deployment.aws import functions, stack_updates
from apps.deployment.errors import LeftBehindError
from apps.deployment.paths import BUILD
from apps.deployment.previews import names, preview_stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

BUCKETS = ("UploadsBucket", "DeploymentBucket")  # outputs of staging's stack
MAX_DELETED_OBJECTS = 1000  # S3's limit


def down(number: int, outputs: Mapping[str, str], *, tell: Callable[[str], None]) -> None:
    """
    Delete a preview. Without one, only the check is made.

    :param outputs: of staging's stack, which name the buckets
    :raises LeftBehindError: if something is left, with a list of it
    """
    present = _inventory(number, outputs)
    _delete(number, outputs)
    left = _inventory(number, outputs)
    for line in present:
        if line not in left:
            tell(f"removed {line}")
    if left:
        raise LeftBehindError(f"Of {names.stage(number)} there is still: {'; '.join(left)}.")
    tell(f"{names.stage(number)}: nothing is left")


def numbers_of_files(outputs: Mapping[str, str]) -> set[int]:
    """Return the numbers of all previews that have files in a bucket."""
    pages = [page for bucket in BUCKETS for page in _pages(outputs[bucket], names.FILES, Delimiter="/")]
    folders = [folder["Prefix"] for page in pages for folder in page.get("CommonPrefixes", [])]
    return {number for folder in folders if (number := names.after(names.FILES, folder)) is not None}


def _delete(number: int, outputs: Mapping[str, str]) -> None:
    name = names.function(number)
    if stack_updates.await_end(name) != preview_stack.DELETED:
        with translate_errors():
            clients.cloudformation().delete_stack(StackName=name)
        stack_updates.await_end(name)
    for bucket in BUCKETS:
        versions = list(_versions(outputs[bucket], number))
        for first in range(0, len(versions), MAX_DELETED_OBJECTS):
            objects: Any = versions[first : first + MAX_DELETED_OBJECTS]
            with translate_errors():
                clients.s3().delete_objects(
                    Bucket=outputs[bucket], Delete={"Objects": objects, "Quiet": True}
                )
    for rendered in (BUILD / "stages").glob(f"{names.stage(number)}-*.json"):
        rendered.unlink(missing_ok=True)


def _inventory(number: int, outputs: Mapping[str, str]) -> list[str]:
    """Return a line for each thing that exists of a preview."""
    name, group = names.function(number), names.log_group(number)
    status = preview_stack.read(number).status
    reason = f": {stack_updates.first_failure(name)}" if status.endswith("FAILED") else ""
    with translate_errors():
        groups = clients.logs().describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    counts = {bucket: sum(1 for _ in _versions(outputs[bucket], number)) for bucket in BUCKETS}
    return [
        *([f"stack {name}{reason}"] if status else []),
        *([f"function {name}"] if functions.exists(name) else []),
        *([f"log group {group}"] if any(each["logGroupName"] == group for each in groups) else []),
        *(f"{count} files in the {bucket}" for bucket, count in counts.items() if count),
        *_by_tag(number),
    ]


def _by_tag(number: int) -> Iterator[str]:
    name = names.function(number)
    # The index of tags lists deleted resources for a while. The services themselves were asked for these.
    known = (f":function:{name}:", f":log-group:{names.log_group(number)}:", f":stack/{name}/")
    tags = {"project": names.PROJECT, "stage": names.stage(number)}
    filters = [{"Key": key, "Values": [value]} for key, value in tags.items()]
    with translate_errors():
        pages = clients.tagging().get_paginator("get_resources").paginate(TagFilters=filters)
        arns = [each["ResourceARN"] for page in pages for each in page["ResourceTagMappingList"]]
    return (f"by its tag {arn}" for arn in arns if not any(part in f"{arn}:" for part in known))


def _versions(bucket: str, number: int) -> Iterator[dict[str, str]]:
    """Yield every version and every deletion marker of a preview's files."""
    for page in _pages(bucket, names.files(number)):
        for version in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
            yield {"Key": version["Key"], "VersionId": version["VersionId"]}


def _pages(bucket: str, prefix: str, **options: str) -> list[Any]:
    with translate_errors():
        paginator = clients.s3().get_paginator("list_object_versions")
        return list(paginator.paginate(Bucket=bucket, Prefix=prefix, **options))  # type: ignore[arg-type]
