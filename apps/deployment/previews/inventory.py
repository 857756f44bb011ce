"""What there is of previews: by name, by stack and by tag, asked of AWS and of nothing that we remember."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.core.errors import NotFoundError
from apps.deployment.aws import functions
from apps.deployment.previews import names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_logs.type_defs import LogGroupTypeDef

GONE = "DELETE_COMPLETE"


def of(number: int, bucket: str) -> list[str]:
    """Return a line for each thing that is there of one preview; none if nothing is."""
    return [*_by_name(number, bucket), *_by_tag(number)]


def numbers(bucket: str) -> set[int]:
    """Return the number of every preview of which anything is there, however little."""
    found = {
        *(names.after(names.FUNCTIONS, function["FunctionName"]) for function in all_functions()),
        *(names.after(names.LOG_GROUPS, group["logGroupName"]) for group in log_groups(names.LOG_GROUPS)),
        *(names.after(names.FILES, folder) for folder in _folders(bucket)),
        *(names.after(names.FUNCTIONS, stack) for stack in _stacks()),
    }
    return {number for number in found if number is not None}


def all_functions() -> list[Any]:
    """Return the configuration of every function of the account."""
    with translate_errors():
        pages = clients.lambda_client().get_paginator("list_functions").paginate()
        return [function for page in pages for function in page["Functions"]]


def log_groups(prefix: str) -> list[LogGroupTypeDef]:
    """Return the log groups whose names begin so."""
    with translate_errors():
        pages = clients.logs().get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
        return [group for page in pages for group in page["logGroups"]]


def versions_of_files(number: int, bucket: str) -> Iterator[dict[str, str]]:
    """Yield every version and every mark of deletion below the preview's prefix: the bucket keeps both."""
    with translate_errors():
        pages = (
            clients.s3()
            .get_paginator("list_object_versions")
            .paginate(Bucket=bucket, Prefix=names.files(number))
        )
        for page in pages:
            for version in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                yield {"Key": version["Key"], "VersionId": version["VersionId"]}


def has_stack(number: int) -> bool:
    """Tell whether there is a stack of the preview's name: Zappa would have made it, for a gateway."""
    try:
        with translate_errors(ValidationError=NotFoundError):
            stacks = clients.cloudformation().describe_stacks(StackName=names.function(number))["Stacks"]
    except NotFoundError:
        return False
    return any(stack["StackStatus"] != GONE for stack in stacks)


def _by_name(number: int, bucket: str) -> Iterator[str]:
    if functions.exists(names.function(number)):
        yield f"function {names.function(number)}"
    if any(group["logGroupName"] == names.log_group(number) for group in log_groups(names.log_group(number))):
        yield f"log group {names.log_group(number)}"
    if files := sum(1 for _ in versions_of_files(number, bucket)):
        yield f"{files} versions of files below {names.files(number)}"
    if has_stack(number):
        yield f"stack {names.function(number)}"


def _by_tag(number: int) -> Iterator[str]:
    """Yield what bears the preview's tag and is of a kind that we do not make."""
    # The index of tags lags behind: of what has a name of ours, the services were asked themselves.
    asked = (f":function:{names.function(number)}", f":log-group:{names.log_group(number)}")
    for arn in _tagged(names.stage(number)):
        if not arn.removesuffix(":*").endswith(asked):
            yield f"by its tag {arn}"


def _tagged(stage: str) -> list[str]:
    filters = [{"Key": "project", "Values": [names.PROJECT]}, {"Key": "stage", "Values": [stage]}]
    with translate_errors():
        pages = clients.tagging().get_paginator("get_resources").paginate(TagFilters=filters)
        return [found["ResourceARN"] for page in pages for found in page["ResourceTagMappingList"]]


def _folders(bucket: str) -> list[str]:
    with translate_errors():
        pages = (
            clients.s3()
            .get_paginator("list_object_versions")
            .paginate(Bucket=bucket, Prefix=names.FILES, Delimiter="/")
        )
        return [folder["Prefix"] for page in pages for folder in page.get("CommonPrefixes", [])]


def _stacks() -> list[str]:
    with translate_errors():
        pages = clients.cloudformation().get_paginator("list_stacks").paginate()
        return [
            stack["StackName"]
            for page in pages
            for stack in page["StackSummaries"]
            if stack["StackStatus"] != GONE
        ]
