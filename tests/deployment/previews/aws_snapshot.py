"""What an account holds, read call by call: to be compared, not to be understood."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.deployment.previews.aws_account import Account

# Service, call, where the list stands, what names a thing, and what we call it.
LISTS = (
    ("lambda", "list_functions", "Functions", "FunctionName", "function"),
    ("logs", "describe_log_groups", "logGroups", "logGroupName", "log group"),
    ("resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList", "ResourceARN", "tagged"),
    ("apigateway", "get_rest_apis", "items", "id", "api"),
    ("iam", "list_roles", "Roles", "RoleName", "role"),
    ("iam", "list_policies", "Policies", "Arn", "policy"),
    ("events", "list_rules", "Rules", "Name", "rule"),
)
GONE = "DELETE_COMPLETE"
# What every answer has of its own.
NOISE = {"ResponseMetadata", "Location"}


def things(account: Account) -> Iterator[str]:
    """Yield a line for each thing that can be listed."""
    for service, call, key, name, kind in LISTS:
        for found in account.pages(service, call, key):
            yield f"{kind} {found[name]}"
    for stack in account.pages("cloudformation", "list_stacks", "StackSummaries"):
        if stack["StackStatus"] != GONE:
            yield f"stack {stack['StackName']}"
    for bucket in account.client("s3").list_buckets()["Buckets"]:
        yield from _objects(account, bucket["Name"])


def text_of(account: Account, functions: Sequence[str]) -> str:
    """Return all there is to know of these functions, and of every stack, pool, domain and log group."""
    known = {
        "functions": {name: _function(account.client("lambda"), name) for name in functions},
        "stacks": {stage: _stage(account, stage) for stage in account.made},
        "domains": _domains(account.client("apigateway")),
        "log groups": [
            group
            for group in account.pages("logs", "describe_log_groups", "logGroups")
            if f"log group {group['logGroupName']}" in account.at_first
        ],
    }
    return json.dumps(_quiet(known), sort_keys=True, indent=1, default=str)


def _objects(account: Account, bucket: str) -> Iterator[str]:
    for page in account.client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket):
        for version in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
            yield f"object {bucket} {version['Key']} {version['VersionId']}"


def _function(lambdas: Any, name: str) -> list[Any]:
    return [
        lambdas.get_function(FunctionName=name),
        lambdas.list_versions_by_function(FunctionName=name),
        lambdas.list_aliases(FunctionName=name),
        lambdas.get_function_concurrency(FunctionName=name),
    ]


def _stage(account: Account, stage: str) -> list[Any]:
    made, stacks = account.made[stage], account.client("cloudformation")
    pool = {"UserPoolId": made["UserPoolId"]}
    return [
        *(stacks.describe_stacks(StackName=name) for name in (f"moped-{stage}", f"moped-api-{stage}")),
        stacks.describe_stack_resources(StackName=f"moped-{stage}"),
        stacks.describe_stack_resources(StackName=f"moped-api-{stage}"),
        account.client("cognito-idp").describe_user_pool(**pool),
        account.client("cognito-idp").list_users(**pool),
        account.client("dynamodb").scan(TableName=made["ClaimsTable"]),
        account.client("secretsmanager").get_secret_value(SecretId=made["ConfigurationSecret"]),
    ]


def _domains(gateway: Any) -> list[Any]:
    domains = gateway.get_domain_names()["items"]
    return [
        (domain, gateway.get_base_path_mappings(domainName=domain["domainName"])["items"])
        for domain in domains
    ]


def _quiet(value: Any) -> Any:
    """Leave out what differs although nothing has changed."""
    if isinstance(value, dict):
        return {name: _quiet(inner) for name, inner in value.items() if name not in NOISE}
    return [_quiet(inner) for inner in value] if isinstance(value, list | tuple) else value
