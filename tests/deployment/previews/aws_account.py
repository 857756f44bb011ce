"""
An emulated account with staging's stack, and with resources whose names resemble those of previews.

`snapshot` reads all that previews consist of, with the emulator's own calls and no code of the product.
"""

import io
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import requests
from django.core.management import call_command

from apps.deployment.aws import stack_updates
from apps.deployment.paths import TEMPLATE
from tests.deployment.emulated_account import create_function, write_package
from tests.rehearsal import github
from tests.support.waiting import LIMIT_SECONDS

# They are not previews, but begin as the name of one does.
NEIGHBOURS = ("moped-api-production", "moped-api-preview", "moped-api-pr-7-notes")
NEIGHBOUR_FILES = ("previews/9", "previews/readme.txt", "previews/012/x", "private/project/1/x_x_x_plan.pdf")
STACK = json.dumps({"Resources": {"Nothing": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}})
PARAMETERS = {
    "Stage": "staging",
    "DatabaseUrl": "postgresql:///none",
    "Previews": "true",
    "GitHubRepository": github.REPOSITORY,
    "PreviewDatabaseUrl": "postgresql:///none-for-reading",
}
LISTS: tuple[tuple[str, str, str, dict[str, str]], ...] = (
    ("lambda", "list_functions", "Functions", {"FunctionVersion": "ALL"}),
    ("logs", "describe_log_groups", "logGroups", {}),
    ("resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList", {}),
    ("cloudformation", "list_stacks", "StackSummaries", {}),
)


class Account:
    """The account, in an emulator that runs and that the clients of this process call."""

    def __init__(self, url: str, folder: Path) -> None:
        self.endpoint = url
        self.folder = folder
        self.client: Any = cache(boto3.client)
        self.package = write_package(folder / "package.zip")
        stack_updates.create_or_update("moped-staging", TEMPLATE, PARAMETERS)
        self.outputs = stack_updates.outputs("moped-staging")
        self.bucket = self.outputs["UploadsBucket"]
        self._bound_previews()
        call_command("setup", "secrets", "staging", stdout=io.StringIO())
        for name in NEIGHBOURS:
            self.create_function(name)
        for key in NEIGHBOUR_FILES:
            self.client("s3").put_object(Bucket=self.bucket, Key=key, Body=b"not a preview's")
        stack_updates.change(None, NEIGHBOURS[-1], {}, {}, STACK)
        # The credentials of the job that creates previews.
        self.deployer = github.credentials(self.outputs["PreviewDeploymentRoleArn"], "preview")
        self.at_first = self.snapshot()

    def overlay(self, **settings: Any) -> str:
        """Write the settings that differ from those of all previews."""
        path = self.folder / "overlay.json"
        path.write_text(json.dumps(settings))
        return str(path)

    def url(self, name: str) -> str:
        """Return the URL of a function's live version; "" if it has none."""
        client = self.client("lambda")
        try:
            return str(client.get_function_url_config(FunctionName=name, Qualifier="live")["FunctionUrl"])
        except client.exceptions.ResourceNotFoundException:
            return ""

    def ask(self, url: str) -> dict[str, Any]:
        """Return the answer of a function URL."""
        host = {"Host": url.split("/")[2]}
        return dict(requests.get(self.endpoint, headers=host, timeout=LIMIT_SECONDS).json())

    def snapshot(self) -> set[str]:
        """Return a line for each thing in the account, with all that its list says of it."""
        return {json.dumps(thing, sort_keys=True, default=str) for thing in self._things()}

    def of_previews(self) -> list[str]:
        """Return what was not there at first. What was there must not have changed."""
        now = self.snapshot()
        assert now >= self.at_first
        return sorted(now - self.at_first)

    def _things(self) -> Iterator[Any]:
        for service, call, key, options in LISTS:
            for page in self.client(service).get_paginator(call).paginate(**options):
                yield from (each for each in page[key] if "DELETE_COMPLETE" not in str(each))
        for name in NEIGHBOURS:
            yield from self.client("lambda").list_aliases(FunctionName=name)["Aliases"]
        for bucket in self.client("s3").list_buckets()["Buckets"]:
            objects = self.client("s3").get_paginator("list_object_versions")
            for page in objects.paginate(Bucket=bucket["Name"]):
                kinds = (page.get(kind, []) for kind in ("Versions", "DeleteMarkers"))
                yield from ([bucket["Name"], each] for kind in kinds for each in kind)

    def create_function(self, name: str) -> None:
        """Create a function with its log group, by hand."""
        self.client("logs").create_log_group(logGroupName=f"/aws/lambda/{name}")
        tags = {"project": "moped-api", "stage": name.removeprefix("moped-api-")}
        create_function(name, Role=self.outputs["FunctionRoleArn"], Tags=tags)
        lambdas = self.client("lambda")
        lambdas.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.1})
        lambdas.create_alias(FunctionName=name, Name="live", FunctionVersion="$LATEST")

    def _bound_previews(self) -> None:
        """Give the previews' role its boundary, which the emulator's CloudFormation leaves out."""
        resources = self.client("cloudformation").describe_stack_resources(StackName="moped-staging")
        ids = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources["StackResources"]}
        self.client("iam").put_role_permissions_boundary(
            RoleName=ids["PreviewRole"], PermissionsBoundary=ids["PreviewBoundary"]
        )
