"""`preview down` and `preview sweep`: delete previews, then search for leftovers by name and by tag."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.core.errors import UpstreamError
from apps.deployment.aws import functions, stack_updates
from apps.deployment.aws.stack_updates import Stack
from apps.deployment.errors import RemovalError, StageError, as_stage_error
from apps.deployment.previews import names, pull_requests
from apps.deployment.previews.pull_requests import PullRequest
from apps.deployment.settings import zappa_settings

Tell = Callable[[str], None]

BUCKETS = ("UploadsBucket", "DeploymentBucket")  # outputs of staging's stack
# CloudFormation lists deleted stacks for 90 days, so filter them.
STACKS = "StackSummaries[?StackStatus != 'DELETE_COMPLETE'].StackName"


def buckets() -> list[str]:
    """
    Return the buckets with files of previews. Staging's outputs name them, also during an update.

    :raises StageError: if staging's stack does not exist
    """
    staging = zappa_settings.flatten(zappa_settings.read(), names.PATTERN)["moped"]["stack"]
    outputs = stack_updates.outputs(staging)
    if not outputs:
        raise StageError(f"There is no stack {staging}, whose outputs name the buckets of previews.")
    return [outputs[name] for name in BUCKETS]


def list_previews(buckets: list[str]) -> dict[int, Stack | None]:
    """Return the stacks of all previews by number. None if only files of a preview are left."""
    list_versions = clients.s3().get_paginator("list_object_versions")
    with translate_errors():
        stacks = clients.cloudformation().get_paginator("list_stacks").paginate().search(STACKS)
        existing = {names.number_after(names.FUNCTIONS, name) for name in stacks}
        for bucket in buckets:
            pages = list_versions.paginate(Bucket=bucket, Prefix=names.FILES, Delimiter="/")
            folders = filter(None, pages.search("CommonPrefixes[].Prefix"))
            existing |= {names.number_after(names.FILES, folder.removesuffix("/")) for folder in folders}
    numbers = sorted(filter(None, existing))
    return {number: stack_updates.describe(names.function(number)) for number in numbers}


def sweep(
    requests: Iterable[PullRequest], grace: timedelta, *, delete: bool, tell: Tell
) -> list[dict[str, Any]]:
    """
    Delete expired previews, and previews without an open pull request.

    After a failure, continue with the next preview.

    :param requests: the open pull requests
    :param grace: keep previews that changed within this time, since the list may be older
    :param delete: False to report only
    :return: for each preview: its number, whether to delete it, and the reason
    :raises RemovalError: if previews could not be deleted, with the reasons
    """
    open_requests = {request.number: request for request in requests}
    decisions, failures, in_buckets = [], [], buckets()
    for number, stack in list_previews(in_buckets).items():
        goes, why = _decide(stack, open_requests.get(number), grace)
        decisions.append({"number": number, "goes": goes, "why": why})
        tell(f"{names.stage(number)} {'goes' if goes else 'stays'}: {why}")
        try:
            if goes and delete:
                down(number, in_buckets, tell)
        except (StageError, UpstreamError) as error:
            failures.append(f"{names.stage(number)}: {as_stage_error(error)}")
    if failures:
        raise RemovalError(" ".join(failures))
    return decisions


def _decide(stack: Stack | None, request: PullRequest | None, grace: timedelta) -> tuple[bool, str]:
    now = datetime.now(UTC)
    why = request.no_preview_reason if request else "no open pull request has this number"
    expires = stack_updates.tags_of(stack).get("expires")
    if request and not why and expires and datetime.fromisoformat(expires) < now:
        if request.has(pull_requests.KEEP):
            return False, "it has expired, and is labelled keep"
        why = f"it has expired on {expires[:10]}"
    if why and stack and now - (stack.get("LastUpdatedTime") or stack["CreationTime"]) < grace:
        return False, f"{why}, but it was changed a moment ago"
    return bool(why), why or "the pull request is open"


def down(number: int, buckets: list[str], tell: Tell) -> None:
    """
    Delete a preview, if it exists, and check that nothing is left.

    :raises RemovalError: if something is left, with a list
    """
    stack_updates.delete(names.function(number))
    for bucket, versions in _files(buckets, names.files(number)):
        with translate_errors():
            clients.s3().delete_objects(Bucket=bucket, Delete={"Objects": versions})
    if remaining := _inventory(number, buckets):
        raise RemovalError(f"Of {names.stage(number)} there is still: {'; '.join(remaining)}.")
    tell(f"{names.stage(number)}: nothing is left")


def _inventory(number: int, buckets: list[str]) -> list[str]:
    """Return a line for each resource of a preview that still exists."""
    function, group = names.function(number), f"/aws/lambda/{names.function(number)}"
    tags = {"project": names.PROJECT, "stage": names.stage(number)}
    filters = [{"Key": name, "Values": [value]} for name, value in tags.items()]
    with translate_errors():
        groups = clients.logs().describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        pages = clients.tagging().get_paginator("get_resources").paginate(TagFilters=filters)
        arns = list(pages.search("ResourceTagMappingList[].ResourceARN"))
    # The tag index also lists recently deleted resources. Ignore those that the other calls check directly.
    own = (f":function:{function}:", f":log-group:{group}:", f":stack/{function}/")
    return [
        *([f"function {function}"] if functions.exists(function) else []),
        *(f"log group {group}" for each in groups if each["logGroupName"] == group),
        *(
            f"{len(versions)} files in the bucket {bucket}"
            for bucket, versions in _files(buckets, names.files(number))
        ),
        *(f"by its tag {arn}" for arn in arns if not any(part in f"{arn}:" for part in own)),
    ]


def _files(buckets: list[str], prefix: str) -> list[tuple[str, list[Any]]]:
    """Return pages of file versions and deletion markers with their bucket. S3 deletes a page in one call."""
    with translate_errors():
        paginator = clients.s3().get_paginator("list_object_versions")
        pages: list[tuple[str, Any]] = [
            (bucket, page) for bucket in buckets for page in paginator.paginate(Bucket=bucket, Prefix=prefix)
        ]
    return [
        (bucket, [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in versions])
        for bucket, page in pages
        if (versions := [*page.get("Versions", []), *page.get("DeleteMarkers", [])])
    ]
