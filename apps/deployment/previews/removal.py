"""`preview down` and `preview sweep`: delete previews, then list what is left, by name and by tag."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.core.errors import UpstreamError
from apps.deployment.aws import functions, stack_updates
from apps.deployment.errors import LeftBehindError, StageError, as_stage_error
from apps.deployment.previews import names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import timedelta

    from mypy_boto3_cloudformation.type_defs import StackTypeDef

    from apps.deployment.previews.pull_requests import PullRequest

    Tell = Callable[[str], None]
    Outputs = Mapping[str, str]  # of staging's stack, which name the buckets

BUCKETS = ("UploadsBucket", "DeploymentBucket")
DELETED = "DELETE_COMPLETE"  # CloudFormation lists such stacks for 90 days


def every(outputs: Outputs) -> dict[int, StackTypeDef | None]:
    """Return the stacks of all previews by number. Of a preview without one, only files are left."""
    with translate_errors():
        stacks = clients.cloudformation().get_paginator("list_stacks").paginate()
        present = [
            each for page in stacks for each in page["StackSummaries"] if each["StackStatus"] != DELETED
        ]
    pages = [page for bucket in BUCKETS for page in _pages(outputs[bucket], names.FILES, Delimiter="/")]
    folders = [each["Prefix"] for page in pages for each in page.get("CommonPrefixes", [])]
    numbers = {
        *(names.after(names.FUNCTIONS, each["StackName"]) for each in present),
        *(names.after(names.FILES, folder) for folder in folders),
    }
    return {
        number: stack_updates.describe(names.function(number)) for number in sorted(filter(None, numbers))
    }


def sweep(
    outputs: Outputs, requests: Iterable[PullRequest], spared: timedelta, *, really: bool, tell: Tell
) -> list[dict[str, Any]]:
    """
    Delete the previews without an open pull request, and those that have expired.

    A failure does not stop the others.

    :param requests: the open pull requests
    :param spared: a preview that changed within this time stays, since the list may be older
    :param really: False only to say what would be deleted
    :return: for each preview its number, whether it is deleted, and why
    :raises LeftBehindError: if something is left, with a list of it
    """
    open_requests = {request.number: request for request in requests}
    decisions, failures = [], []
    for number, stack in every(outputs).items():
        goes, why = _decide(stack, open_requests.get(number), spared)
        decisions.append({"number": number, "goes": goes, "why": why})
        tell(f"{names.stage(number)} {'goes' if goes else 'stays'}: {why}")
        try:
            if goes and really:
                down(number, outputs, tell)
        except (StageError, UpstreamError) as error:
            failures.append(f"{names.stage(number)}: {as_stage_error(error)}")
    if failures:
        raise LeftBehindError(" ".join(failures))
    return decisions


def _decide(stack: StackTypeDef | None, request: PullRequest | None, spared: timedelta) -> tuple[bool, str]:
    now = datetime.now(UTC)
    why = request.why_not if request else "no open pull request has this number"
    expires = stack_updates.tags_of(stack).get("expires")
    if request and not why and expires and datetime.fromisoformat(expires) < now:
        if request.is_kept:
            return False, "it has expired, and is labelled keep"
        why = f"it has expired on {expires[:10]}"
    if why and stack and now - stack.get("LastUpdatedTime", stack["CreationTime"]) < spared:
        return False, f"{why}, but it was changed a moment ago"
    return bool(why), why or "the pull request is open"


def down(number: int, outputs: Outputs, tell: Tell) -> None:
    """
    Delete a preview. Without one, only the check is made.

    :raises LeftBehindError: if something is left, with a list of it
    """
    stack_updates.delete(names.function(number))
    for bucket in BUCKETS:
        for page in _pages(outputs[bucket], names.files(number)):
            if objects := _versions(page):
                with translate_errors():
                    clients.s3().delete_objects(Bucket=outputs[bucket], Delete={"Objects": objects})
    if remaining := _inventory(number, outputs):
        raise LeftBehindError(f"Of {names.stage(number)} there is still: {'; '.join(remaining)}.")
    tell(f"{names.stage(number)}: nothing is left")


def _inventory(number: int, outputs: Outputs) -> list[str]:
    """Return a line for each thing that is left of a preview besides its stack."""
    function, group = names.function(number), f"/aws/lambda/{names.function(number)}"
    tags = {"project": names.PROJECT, "stage": names.stage(number)}
    filters = [{"Key": name, "Values": [value]} for name, value in tags.items()]
    with translate_errors():
        groups = clients.logs().describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        pages = clients.tagging().get_paginator("get_resources").paginate(TagFilters=filters)
        arns = [each["ResourceARN"] for page in pages for each in page["ResourceTagMappingList"]]
    counts = {
        bucket: sum(len(_versions(page)) for page in _pages(outputs[bucket], names.files(number)))
        for bucket in BUCKETS
    }
    # The index of tags lists deleted resources for a while. The services themselves are asked for these.
    own = (f":function:{function}:", f":log-group:{group}:", f":stack/{function}/")
    return [
        *([f"function {function}"] if functions.exists(function) else []),
        *(f"log group {group}" for each in groups if each["logGroupName"] == group),
        *(f"{count} files in the {bucket}" for bucket, count in counts.items() if count),
        *(f"by its tag {arn}" for arn in arns if not any(part in f"{arn}:" for part in own)),
    ]


def _versions(page: Any) -> list[Any]:
    """Return every version and every deletion marker of a page, of which S3 deletes all in one call."""
    versions = (*page.get("Versions", []), *page.get("DeleteMarkers", []))
    return [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in versions]


def _pages(bucket: str, prefix: str, **options: Any) -> list[Any]:
    with translate_errors():
        paginator = clients.s3().get_paginator("list_object_versions")
        return list(paginator.paginate(Bucket=bucket, Prefix=prefix, **options))
