"""Staging and a preview in an account at an emulator: what the commands print, and what they leave."""

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import boto3
from django.core.management import CommandError, call_command

from apps.core.aws import clients
from apps.deployment.aws import functions, rest_api
from apps.deployment.paths import PROJECT

INFRASTRUCTURE = PROJECT / "infrastructure"
FUNCTION, RECONCILIATION = "moped-api-staging", "moped-reconcile-staging"
# It answers as the API does to the questions of a smoke test.
STAND_IN = """
import json, os

def lambda_handler(event, context):
    if "manage" in event:
        return {"exit_code": 0, "output": "ran " + event["manage"]}
    if "triggerSource" in event:
        claims = {"https://hasura.io/jwt/claims": "{}"}
        return {**event, "response": {"claimsOverrideDetails": {"claimsToAddOrOverride": claims}}}
    path, headers = event.get("path") or event["rawPath"], {name.lower() for name in event["headers"]}
    status = 401 if path == "/auth/current_user" and "authorization" not in headers else 200
    names = {"commit": "MOPED_API_COMMIT", "stage": "MOPED_API_CURRENT_ENVIRONMENT"}
    body = {key: os.environ[name] for key, name in names.items()}
    return {"statusCode": status, "body": json.dumps(body), "headers": {"Content-Type": "application/json"}}
"""
# What differs between two accounts: digests, ids, times, versions.
VARIABLE = re.compile(
    r"\b[0-9a-f]{12}\b|(?<=secret:existing-)\w+|(?<=https://)\w+(?=\.(?:execute|lambda))|\d[\d:T+-]*"
)


class Account:
    """An account at an emulator, with the stack of staging in it, and what the commands print there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: list[str] = []
        self.facts: list[Any] = []

    def run(self, *words: str) -> None:
        """Run a command of manage.py and keep what it prints, or why it is refused."""
        output = io.StringIO()
        try:
            call_command(*words, stdout=output)
        except CommandError as error:
            output.write(f"refused: {error}")
        lines = VARIABLE.sub("…", output.getvalue()).splitlines()
        self.lines += [f"$ {' '.join(words[:3])}", *lines]

    def package(self, name: str) -> str:
        """Return the path of a package that answers a smoke test as the API does."""
        return write_package(self.folder / f"{name}.zip", f"# {name}\n{STAND_IN}")

    def set_up(self) -> None:
        """Set staging up as docs/operations.md says, on a pool and a secret that exist already."""
        parameters = self.folder / "parameters.json"
        parameters.write_text(json.dumps(existing()))
        self.run("setup", "stack", "staging", "--parameters", str(parameters))
        self.run("setup", "secrets", "staging")

    def live_a_stage(self) -> None:
        """Deploy staging twice, after a refusal, and remove it."""
        reserve_all_but(105)
        deploy = ("stage", "deploy", "staging", "--package")
        self.run(*deploy, self.package("first"))
        clients.lambda_client().delete_function(FunctionName="reserves")
        self.run(*deploy, self.package("first"))
        first = functions.live_alias(FUNCTION)
        self.run(*deploy, self.package("second"))
        self.facts.append(facts_of_stage())
        self.run("stage", "rollback", "staging")
        live = functions.live_alias(FUNCTION)
        self.facts.append(("rolled back", bool(first and live and live.version == first.version)))
        for words in (("status",), ("manage", "check"), ("undeploy", "--yes")):
            self.run("stage", words[0], "staging", *words[1:])
        self.facts.append(what_is_left())

    def live_a_preview(self) -> None:
        """Create a preview, update it, sweep it twice, and remove it."""
        for commit in ("first", "second"):
            self.run("preview", "up", "12", "--commit", commit, "--package", self.package(commit))
        self.facts.append(facts_of_function("moped-api-pr-12"))
        self.run("preview", "list")
        self.run("preview", "sweep", "--open", "12", "--spare", "0", "--yes")
        self.run("preview", "sweep", "--open", "--spare", "0", "--yes")
        self.run("preview", "down", "12")
        self.facts.append(what_is_left())


def write_package(path: Path, source: str = STAND_IN) -> str:
    """Write a small package that takes the place of the API's, and return its path."""
    with zipfile.ZipFile(path, "w") as zipped:
        for name, text in (("__init__", ""), ("lambda_handler", source)):
            zipped.writestr(zipfile.ZipInfo(f"moped_api/{name}.py"), text)
    return str(path)


def existing() -> dict[str, str]:
    """Create what moto's CloudFormation cannot, and return the parameters of the stack."""
    cognito, secrets = clients.cognito(), clients.secrets_manager()
    pool = cognito.create_user_pool(PoolName="moped", UsernameAttributes=["email"])["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="moped", ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"]
    )
    secrets.create_secret(Name="moped-api/staging/smoke")
    parameters: dict[str, str] = json.loads((INFRASTRUCTURE / "staging.json").read_text())
    return parameters | {
        "DatabaseUrl": "postgresql:///none",
        "GitHubRepository": "cityofaustin/moped-api",
        "Previews": "true",
        "PreviewDatabaseUrl": "postgresql:///none-for-reading",
        "ExistingUserPoolId": pool,
        "ExistingClientId": str(client["UserPoolClient"]["ClientId"]),
        "ExistingDomainUrl": "https://moped.auth.us-east-1.amazoncognito.com",
        "ExistingSecretArn": secrets.create_secret(Name="existing", SecretString="{}")["ARN"],
    }


def reserve_all_but(number: int) -> None:
    """Let another function leave so many concurrent executions of an account's thousand."""
    iam = boto3.client("iam")
    role = iam.create_role(RoleName="reserves", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    create_function("reserves", Role=role)
    clients.lambda_client().put_function_concurrency(
        FunctionName="reserves", ReservedConcurrentExecutions=1000 - number
    )


def create_function(name: str, **options: Any) -> None:
    """Create a function by hand."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as zipped:
        zipped.writestr("handler.py", STAND_IN)
    clients.lambda_client().create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="handler.lambda_handler",
        Code={"ZipFile": content.getvalue()},
        **options,
    )


def facts_of_stage() -> dict[str, Any]:
    """Return what a deployment has left, as far as it does not depend on the account."""
    client = clients.apigateway()
    api = client.get_rest_apis()["items"][0]
    stage = client.get_stage(restApiId=api["id"], stageName="staging")
    responses = client.get_gateway_responses(restApiId=api["id"])["items"]
    responses_of_ours = {
        each["responseType"]: each for each in responses if each["responseType"] in rest_api.RESPONSES
    }
    resources = client.get_resources(restApiId=api["id"], embed=["methods"])["items"]
    methods = [method for each in resources for method in each["resourceMethods"].values()]
    limits = ("throttlingRateLimit", "throttlingBurstLimit")
    parts = ("statusCode", "responseParameters", "responseTemplates")
    return {
        "API": api["name"],
        "limits": [stage["methodSettings"]["*/*"][name] for name in limits],  # type: ignore[literal-required]
        "responses": {name: [each[part] for part in parts] for name, each in responses_of_ours.items()},  # type: ignore[literal-required]
        "integrations": {each["methodIntegration"]["uri"].partition(":function:")[2] for each in methods},
        "functions": [facts_of_function(name) for name in (FUNCTION, RECONCILIATION)],
    }


def facts_of_function(name: str) -> dict[str, Any]:
    """Return what the live version of a function is, as far as it does not depend on the account."""
    client = clients.lambda_client()
    live = client.get_function(FunctionName=name, Qualifier="live")["Configuration"]
    names = ("Runtime", "Handler", "Timeout", "MemorySize", "CodeSha256", "Architectures")
    (group,) = clients.logs().describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"]
    return {
        **{name: live[name] for name in names},  # type: ignore[literal-required]
        "variables": sorted(live["Environment"]["Variables"]),
        "concurrency": client.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"],
        "log": group.get("retentionInDays"),
    }


def what_is_left() -> list[str]:
    """Return the names of functions, stacks and log groups. moto leaves the APIs of stacks."""
    pages = clients.cloudformation().get_paginator("list_stacks").paginate()
    stacks = [each for page in pages for each in page["StackSummaries"]]
    return sorted(
        [
            *(each["FunctionName"] for each in clients.lambda_client().list_functions()["Functions"]),
            *(each["StackName"] for each in stacks if each["StackStatus"] != "DELETE_COMPLETE"),
            *(each["logGroupName"] for each in clients.logs().describe_log_groups()["logGroups"]),
        ]
    )
