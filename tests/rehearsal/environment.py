"""The servers of a rehearsal, and the stacks that the stages stand on."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

import boto3
import psycopg
from cryptography.fernet import Fernet

from apps.deployment.package import runtime_environment
from apps.deployment.paths import BUILD, PROJECT
from apps.devstack import environment as laptop
from apps.devstack.emulator import Emulator, free_port
from apps.devstack.postgresql import DATABASE, SUPERUSER, Cluster
from tests.rehearsal import github
from tests.support import password_auth

if TYPE_CHECKING:
    from pathlib import Path
    from subprocess import CompletedProcess

FOLDER = BUILD / "rehearsal-world"
TEMPLATE = PROJECT / "infrastructure" / "moped-api.yaml"
PREVIEW_DATABASE = PROJECT / "infrastructure" / "preview-database.sql"
SMOKE = {"email": "smoke.test@austintexas.gov", "password": "Smoke-Test-2026!"}
EDITOR = "https://moped.example"
LOGIN, LOGIN_SECRET = "moped", "rds!moped"  # the database's, as RDS keeps it


class Environment:
    """An AWS and a PostgreSQL of its own, empty at the start, gone at the end."""

    def __init__(self) -> None:
        self._cleanup = ExitStack()
        self._made: dict[str, dict[str, str]] = {}
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        """Start both."""
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
        os.environ.update(self.shell())
        with self._cleanup:
            self.database = Cluster(FOLDER / "postgresql", durable=False)
            self._cleanup.callback(self.database.stop)
            self.database.start()
            emulator = Emulator(
                FOLDER / "aws", self.port, durable=False, function_python=runtime_environment.python()
            )
            self._cleanup.callback(emulator.stop)
            emulator.start()
            password_auth.require_passwords(self.database)
            self._login_secret = self._make_login()
            self._cleanup = self._cleanup.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop both."""
        self._cleanup.close()

    def shell(self) -> dict[str, str]:
        """Return what an operator's shell would have, if this were AWS."""
        return {
            **laptop.EMULATOR_CREDENTIALS,
            **laptop.NO_OTHER_AWS,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": laptop.REGION,
        }

    def client(self, service: str) -> Any:
        """Return a client of the embedded AWS, with all rights."""
        return boto3.client(service)  # type: ignore[call-overload]

    def manage(self, *words: str) -> CompletedProcess[str]:
        """Type a command of manage.py, as GitHub's runner would."""
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=PROJECT,
            env={**os.environ, **self._runner(*words[:3])},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def _runner(self, command: str, action: str = "", stage: str = "") -> dict[str, str]:
        """Return the credentials of GitHub's runner; only to remove a stage takes an operator's own."""
        if command == "preview":
            return github.credentials(self._made["staging"]["PreviewDeploymentRoleArn"], "preview")
        made = self._made.get(stage)
        if made is None or action == "undeploy":
            return {}
        if action == "verify":
            return github.credentials(made["VerificationRoleArn"], f"{stage}-verification")
        return github.credentials(made["DeploymentRoleArn"], stage)

    def make_stack(self, stage: str, trigger_arn: str = "") -> dict[str, str]:
        """Make or update a stage's stack and return its outputs."""
        cloudformation, name = self.client("cloudformation"), f"moped-{stage}"
        change = {
            "StackName": name,
            "TemplateBody": TEMPLATE.read_text(encoding="utf-8"),
            "Capabilities": ["CAPABILITY_IAM"],
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value}
                for key, value in self._parameters(stage, trigger_arn).items()
            ],
        }
        existing = [stack["StackName"] for stack in cloudformation.describe_stacks()["Stacks"]]
        kind = "update" if name in existing else "create"
        getattr(cloudformation, f"{kind}_stack")(**change)
        cloudformation.get_waiter(f"stack_{kind}_complete").wait(
            StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        outputs = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
        made = {output["OutputKey"]: output["OutputValue"] for output in outputs}
        self._made[stage] = made
        return made

    def fill_secrets(self, made: dict[str, str]) -> None:
        """Do what a new stage's operators do by hand: the secrets, and the account to try it with."""
        manager, cognito = self.client("secretsmanager"), self.client("cognito-idp")
        configuration = {"COGNITO_DYNAMO_SECRET_KEY": Fernet.generate_key().decode()}
        manager.put_secret_value(SecretId=made["ConfigurationSecret"], SecretString=json.dumps(configuration))
        self.try_out_as(made, **SMOKE)
        cognito.admin_create_user(
            UserPoolId=made["UserPoolId"], Username=SMOKE["email"], MessageAction="SUPPRESS"
        )
        cognito.admin_set_user_password(
            UserPoolId=made["UserPoolId"],
            Username=SMOKE["email"],
            Password=SMOKE["password"],
            Permanent=True,
        )

    def let_previews_read(self) -> None:
        """Do what staging's operators do once in its database."""
        script = PREVIEW_DATABASE.read_text(encoding="utf-8")
        with psycopg.connect(self.database.url, autocommit=True) as connection:
            connection.execute(script.encode())

    def try_out_as(self, made: dict[str, str], email: str, password: str) -> None:
        """Say whose token deployments are tried out with."""
        account = json.dumps({"email": email, "password": password})
        self.client("secretsmanager").put_secret_value(SecretId=made["SmokeSecret"], SecretString=account)

    def rotate_database_password(self) -> None:
        """Do what RDS does by itself: another password in the server, then in the secret."""
        password = secrets.token_urlsafe()
        password_auth.set_password(self.database, LOGIN, password)
        self.client("secretsmanager").put_secret_value(
            SecretId=LOGIN_SECRET, SecretString=json.dumps({"username": LOGIN, "password": password})
        )

    def overlay(self, made: dict[str, str], name: str = "overlay", **variables: str) -> Path:
        """Write what a stage must be told because this is not AWS, and return where."""
        path = FOLDER / f"{name}.json"
        told = {
            "AWS_ENDPOINT_URL": self.url,
            "COGNITO_JWKS_URL": f"{self.url}/{made['UserPoolId']}/.well-known/jwks.json",
            "COGNITO_DOMAIN_URL": self.url,
            "MOPED_API_ALLOWED_HOSTS": ".localhost,127.0.0.1,.on.aws",
            **variables,
        }
        path.write_text(json.dumps({"aws_environment_variables": told}), encoding="utf-8")
        return path

    def _make_login(self) -> str:
        arn = self.client("secretsmanager").create_secret(Name=LOGIN_SECRET)["ARN"]
        self.rotate_database_password()
        return str(arn)

    def _parameters(self, stage: str, trigger_arn: str) -> dict[str, str]:
        return {
            "Stage": stage,
            "DomainPrefix": f"moped-{stage}",
            "CallbackUrls": f"{EDITOR}/auth/callback",
            "LogoutUrls": f"{EDITOR}/",
            "IdentityProviders": "COGNITO,azuread",
            "ServerSidePasswords": "true",
            "EditorOrigins": EDITOR,
            "DatabaseUrl": f"postgresql://{LOGIN}@{quote(str(self.database.sockets), safe='')}/{DATABASE}",
            "DatabaseSecretArn": self._login_secret,
            "GitHubRepository": github.REPOSITORY,
            "Verification": "true",
            "TriggerFunctionArn": trigger_arn,
            "Previews": str(stage == "staging").lower(),
            "PreviewDatabaseUrl": self.database.url.replace(f"//{SUPERUSER}@", "//moped_preview@"),
        }
