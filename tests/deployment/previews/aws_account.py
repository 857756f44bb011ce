"""
An account with staging and production in it, and with names that are nearly those of previews.

Staging and production stand on their real stacks; their functions, gateways and domains are made by
the calls that Zappa comes down to. What may never change is read out as one text.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
import zipfile
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import boto3

from apps.deployment.aws import stack_updates
from apps.deployment.package.builder import Package
from apps.deployment.paths import PROJECT
from apps.devstack import environment as laptop
from tests.deployment.previews import aws_snapshot
from tests.support.waiting import LIMIT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from apps.devstack.emulator import Emulator

TEMPLATE = PROJECT / "infrastructure" / "moped-api.yaml"
GATEWAY = json.dumps(
    {"Resources": {"Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "gateway"}}}}
)
SMOKE = {"email": "smoke.test@austintexas.gov", "password": "Smoke-Test-2026!"}
STAYING = ("staging", "production")
# None of them is `pr_<n>`; whoever cleans up with a careless prefix takes one along.
NEARLY = ("moped-api-pr-7-notes", "moped-api-pr-07", "moped-api-pr-x", "moped-api-preview", "moped-api-pr")
NEARLY_FILES = ("previews/readme.txt", "previews/012/x", "private/project/1/x_x_x_plan.pdf")
LONG_AGO = "2020-01-01T00:00:00+00:00"
# What a preview is asked: a stand-in for the package, where the life of resources is at stake.
STAND_IN = """
import json, os

def lambda_handler(event, context):
    headers = {name.lower() for name in event.get("headers") or {}}
    path = event.get("path") or event.get("rawPath")
    status = 401 if path == "/auth/current_user" and "authorization" not in headers else 200
    body = json.dumps({"commit": os.environ["MOPED_API_COMMIT"], "built": BUILT,
                       "stage": os.environ["MOPED_API_CURRENT_ENVIRONMENT"]})
    return {"statusCode": status, "body": body, "headers": {"Content-Type": "application/json"}}
"""


class Account:
    """The account, in an emulator that runs."""

    def __init__(self, emulator: Emulator, folder: Path) -> None:
        self.emulator = emulator
        self.folder = folder
        self.session = boto3.Session(
            aws_access_key_id=laptop.EMULATOR_CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=laptop.EMULATOR_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=laptop.REGION,
        )
        self._clients: dict[str, Any] = {}
        self.made: dict[str, dict[str, str]] = {}

    def client(self, service: str) -> Any:
        """Return a client with all rights, past every wire."""
        if service not in self._clients:
            self._clients[service] = self.session.client(service, endpoint_url=self.emulator.url)  # type: ignore[call-overload]
        return self._clients[service]

    def furnish(self) -> None:
        """Make everything that stays."""
        self.package = self.stand_in("")
        for stage in STAYING:
            self.made[stage] = self._stack(stage)
            self._deploy(stage)
        self._bound_previews()
        self.bucket = self.made["staging"]["UploadsBucket"]
        self._fill()
        self._put_what_is_nearly_a_preview()

    def stand_in(self, mark: str, source: str = STAND_IN) -> Package:
        """Return a small package that answers as the API does to the questions of `up`."""
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as zipped:
            for name, text in (("__init__", ""), ("lambda_handler", f"BUILT = {mark!r}\n{source}")):
                zipped.writestr(zipfile.ZipInfo(f"moped_api/{name}.py"), text)
        path = self.folder / f"stand-in{mark}.zip"
        path.write_bytes(content.getvalue())
        return Package(path, hashlib.sha256(content.getvalue()).hexdigest(), len(content.getvalue()))

    def overlay(self, **variables: str) -> Path:
        """Write what a preview must be told because this is not AWS."""
        pool = self.made["staging"]["UserPoolId"]
        told = {
            "AWS_ENDPOINT_URL": self.emulator.url,
            "COGNITO_JWKS_URL": f"{self.emulator.url}/{pool}/.well-known/jwks.json",
            "MOPED_API_ALLOWED_HOSTS": ".on.aws",
            **variables,
        }
        path = self.folder / f"overlay{len(variables)}.json"
        path.write_text(json.dumps({"aws_environment_variables": told}))
        return path

    # ---- what answers --------------------------------------------------------------------------------

    def url(self, number: int) -> str:
        """Return the URL of a preview; "" if it has none."""
        client = self.client("lambda")
        try:
            config = client.get_function_url_config(FunctionName=f"moped-api-pr-{number}", Qualifier="live")
        except client.exceptions.ResourceNotFoundException:
            return ""
        return str(config["FunctionUrl"])

    def function(self, number: int) -> dict[str, Any]:
        """Return what Lambda knows of a preview's function; nothing if there is none."""
        client = self.client("lambda")
        try:
            return dict(client.get_function(FunctionName=f"moped-api-pr-{number}"))
        except client.exceptions.ResourceNotFoundException:
            return {}

    def tags(self, number: int) -> dict[str, str]:
        """Return the tags of a preview's stack."""
        stack = self.client("cloudformation").describe_stacks(StackName=f"moped-api-pr-{number}")["Stacks"][0]
        return {tag["Key"]: tag["Value"] for tag in stack["Tags"]}

    def expire(self, number: int) -> None:
        """Let a preview's lifetime be over."""
        name, stacks = f"moped-api-pr-{number}", self.client("cloudformation")
        stack = stacks.describe_stacks(StackName=name)["Stacks"][0]
        tags = self.tags(number) | {"expires": LONG_AGO}
        stacks.update_stack(
            StackName=name,
            UsePreviousTemplate=True,
            Parameters=[
                {"ParameterKey": each["ParameterKey"], "UsePreviousValue": True}
                for each in stack["Parameters"]
            ],
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )
        stacks.get_waiter("stack_update_complete").wait(
            StackName=name, WaiterConfig={"Delay": 0.2, "MaxAttempts": 300}
        )

    def ask(self, url: str, path: str = "/health/live") -> tuple[int, Any]:
        """Ask a preview something over HTTP, by its own host name."""
        connection = HTTPConnection("127.0.0.1", self.emulator.port, timeout=LIMIT_SECONDS)
        connection.request("GET", path, headers={"Host": url.split("/")[2]})
        response = connection.getresponse()
        content = response.read()
        connection.close()
        try:
            return response.status, json.loads(content)
        except ValueError:
            return response.status, content[:300]

    # ---- what is there -------------------------------------------------------------------------------

    def remember(self) -> None:
        """Note what is there before the first preview."""
        for function in self.pages("lambda", "list_functions", "Functions"):
            for state in ("function_active_v2", "function_updated_v2"):
                waiter = self.client("lambda").get_waiter(state)
                waiter.wait(FunctionName=function["FunctionName"], WaiterConfig={"Delay": 0.1})
        self.at_first = frozenset(aws_snapshot.things(self))
        self.fingerprint = self.staying()

    def of_previews(self) -> list[str]:
        """Return everything that is there and was not at first: asked without any code of ours."""
        return sorted(set(aws_snapshot.things(self)) - self.at_first)

    def staying(self) -> str:
        """Return all that staging, production and their neighbours are, as one text."""
        return aws_snapshot.text_of(self, [f"moped-api-{stage}" for stage in STAYING] + list(NEARLY))

    def pages(self, service: str, call: str, key: str) -> Iterator[Any]:
        """Return what a call lists, page after page."""
        for page in self.client(service).get_paginator(call).paginate():
            yield from page[key]

    # ---- what stays ----------------------------------------------------------------------------------

    def _stack(self, stage: str) -> dict[str, str]:
        parameters = {
            "Stage": stage,
            "DomainPrefix": f"moped-{stage}",
            "CallbackUrls": "https://moped.example/auth/callback",
            "LogoutUrls": "https://moped.example/",
            "ServerSidePasswords": "true",
            "EditorOrigins": "https://moped.example",
            "DatabaseUrl": "postgresql:///none",
            "Previews": str(stage == "staging").lower(),
            "GitHubRepository": "cityofaustin/moped-api",
            "PreviewDatabaseUrl": "postgresql:///none-for-reading",
        }
        self._create_stack(f"moped-{stage}", stack_updates.body(TEMPLATE), parameters)
        stacks = self.client("cloudformation").describe_stacks(StackName=f"moped-{stage}")["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}

    def _bound_previews(self) -> None:
        """Give the previews' role its boundary: the emulator's CloudFormation leaves it out."""
        resources = self.client("cloudformation").describe_stack_resources(StackName="moped-staging")
        made = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources["StackResources"]}
        self.client("iam").put_role_permissions_boundary(
            RoleName=made["PreviewRole"], PermissionsBoundary=made["PreviewBoundary"]
        )

    def _create_stack(self, name: str, template: str, parameters: dict[str, str]) -> None:
        self.client("cloudformation").create_stack(
            StackName=name,
            TemplateBody=template,
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
        self.client("cloudformation").get_waiter("stack_create_complete").wait(
            StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )

    def _deploy(self, stage: str) -> None:
        name, lambdas = f"moped-api-{stage}", self.client("lambda")
        self._create_function(name, self.made[stage]["FunctionRoleArn"])
        version = lambdas.publish_version(FunctionName=name)["Version"]
        lambdas.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
        self._create_stack(name, GATEWAY, {})
        api = self.client("cloudformation").describe_stack_resource(StackName=name, LogicalResourceId="Api")
        api_id = api["StackResourceDetail"]["PhysicalResourceId"]
        domain = f"{name}.austinmobility.io"
        gateway = self.client("apigateway")
        gateway.create_deployment(restApiId=api_id, stageName=stage)
        gateway.create_domain_name(domainName=domain, endpointConfiguration={"types": ["REGIONAL"]})
        gateway.create_base_path_mapping(domainName=domain, restApiId=api_id, stage=stage)

    def _create_function(self, name: str, role: str) -> None:
        self.client("lambda").create_function(
            FunctionName=name,
            Runtime=f"python{sys.version_info[0]}.{sys.version_info[1]}",
            Role=role,
            Handler="moped_api.lambda_handler.lambda_handler",
            Code={"ZipFile": self.package.path.read_bytes()},
            Tags={"project": "moped-api", "stage": name.removeprefix("moped-api-")},
        )

    def _fill(self) -> None:
        made, cognito = self.made["staging"], self.client("cognito-idp")
        secrets, pool = self.client("secretsmanager"), made["UserPoolId"]
        secrets.put_secret_value(
            SecretId=made["ConfigurationSecret"], SecretString='{"COGNITO_DYNAMO_SECRET_KEY": "a key"}'
        )
        secrets.put_secret_value(SecretId=made["SmokeSecret"], SecretString=json.dumps(SMOKE))
        secrets.put_secret_value(SecretId=self.made["production"]["ConfigurationSecret"], SecretString="{}")
        cognito.admin_create_user(UserPoolId=pool, Username=SMOKE["email"], MessageAction="SUPPRESS")
        cognito.admin_set_user_password(
            UserPoolId=pool, Username=SMOKE["email"], Password=SMOKE["password"], Permanent=True
        )
        self.client("dynamodb").put_item(
            TableName=made["ClaimsTable"], Item={"user_id": {"S": SMOKE["email"]}, "claims": {"S": "none"}}
        )

    def _put_what_is_nearly_a_preview(self) -> None:
        for name in NEARLY:
            self._create_function(name, self.made["staging"]["FunctionRoleArn"])
            self.client("logs").create_log_group(logGroupName=f"/aws/lambda/{name}")
        for key in NEARLY_FILES:
            self.client("s3").put_object(Bucket=self.bucket, Key=key, Body=b"not a preview's")
