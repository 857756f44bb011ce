"""The servers of a rehearsal, and the stacks that the stages stand on."""

import io
import json
import os
import secrets
import shutil
import subprocess
import sys
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any, NamedTuple
from unittest.mock import patch
from urllib.parse import quote

import boto3
import django
import psycopg
from django.core.management import CommandError, call_command

from apps.deployment import environment as operators
from apps.deployment.paths import BUILD, PROJECT
from apps.devstack import environment as laptop
from apps.devstack.emulator import Emulator, free_port
from apps.devstack.postgresql import DATABASE, SUPERUSER, Cluster
from tests.deployment.role import acting_with
from tests.rehearsal import github
from tests.support import lambda_runtime, password_auth, strict_mode

FOLDER = BUILD / "rehearsal-world"
PROGRAMS = PROJECT / "tests" / "rehearsal" / "programs"
INFRASTRUCTURE = PROJECT / "infrastructure"
PREVIEW_DATABASE = INFRASTRUCTURE / "preview-database.sql"
EDITOR = "https://moped.austinmobility.io"
LOGIN = "moped"


class Outcome(NamedTuple):
    """What a command printed, and why it failed ("" if it did not)."""

    output: str
    refusal: str


class Environment:
    """An AWS emulator and a PostgreSQL cluster, empty at the start and removed at the end."""

    def __init__(self, cleanup: ExitStack) -> None:
        """Start both, and set Django up as for an operator."""
        self.outputs: dict[str, dict[str, str]] = {}
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
        os.environ.update(self.shell())
        with patch.dict(os.environ, {"DJANGO_SETTINGS_MODULE": "moped_api.settings"}):
            operators.apply()
            django.setup()
        self.database = Cluster(FOLDER / "postgresql", durable=False)
        cleanup.callback(self.database.stop)
        self.database.start()
        emulator = Emulator(
            FOLDER / "aws",
            self.port,
            durable=False,
            function_python=lambda_runtime.python(),
            launcher=strict_mode.LAUNCHER,
        )
        cleanup.callback(emulator.stop)
        emulator.start()
        password_auth.require_passwords(self.database)
        self._login_secret = self._make_login()

    def shell(self) -> dict[str, str]:
        """Return the variables of an operator's shell: AWS's, and what shortens the pauses of Zappa."""
        return {**laptop.EMBEDDED_AWS, "AWS_ENDPOINT_URL": self.url, "PYTHONPATH": str(PROGRAMS)}

    def client(self, service: str) -> Any:
        """Return a client of the emulator with all rights."""
        return boto3.client(service)  # type: ignore[call-overload]

    def type(self, *words: str) -> Outcome:
        """Run a command as `manage` does, in a process of its own, as an operator types it."""
        command = [sys.executable, "manage.py", *words]
        with self._runner(*words[:3]):
            run = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
        return Outcome(run.stdout, f"exit code {run.returncode}: {run.stderr}" if run.returncode else "")

    def manage(self, *words: str, standard_input: str = "") -> Outcome:
        """Run a command in this process as GitHub's runner does, or `setup` as an administrator does."""
        output, refusal = io.StringIO(), ""
        with self._runner(*words[:3]), patch.object(sys, "stdin", io.StringIO(standard_input)):
            try:
                call_command(*words, stdout=output)
            except CommandError as error:
                refusal = str(error)
        return Outcome(output.getvalue(), refusal)

    def _runner(self, command: str, action: str, stage: str = "") -> AbstractContextManager[None]:
        """Act with the credentials of GitHub's runner, or with all rights as an administrator does."""
        outputs = self.outputs.get("staging" if command == "preview" else stage)
        if outputs is None or command == "setup" or action == "undeploy":
            return nullcontext()
        role, environment = {
            "preview": ("PreviewDeploymentRoleArn", "preview"),
            "verify": ("VerificationRoleArn", f"{stage}-verification"),
        }.get(command if command == "preview" else action, ("DeploymentRoleArn", stage))
        return acting_with(github.credentials(outputs[role], environment))

    def write_parameters(self, stage: str) -> str:
        """Fill in a copy of the stage's parameter file, as an operator does, and return its path."""
        parameters = json.loads((INFRASTRUCTURE / f"{stage}.json").read_text(encoding="utf-8"))
        path = FOLDER / f"{stage}-parameters.json"
        path.write_text(json.dumps({**parameters, **self._values(stage)}), encoding="utf-8")
        return str(path)

    def read_outputs(self, stage: str) -> dict[str, str]:
        """Return the outputs of a stage's stack."""
        stacks = self.client("cloudformation").describe_stacks(StackName=f"moped-{stage}")["Stacks"]
        self.outputs[stage] = {each["OutputKey"]: each["OutputValue"] for each in stacks[0]["Outputs"]}
        return self.outputs[stage]

    def request_certificate(self, host: str) -> str:
        """Request a certificate, as an operator does in ACM, and return its ARN."""
        return str(self.client("acm").request_certificate(DomainName=host)["CertificateArn"])

    def let_previews_read(self) -> None:
        """Create the previews' role in staging's database, as its operators do once."""
        script = PREVIEW_DATABASE.read_text(encoding="utf-8")
        with psycopg.connect(self.database.url, autocommit=True) as connection:
            connection.execute(script.encode())

    def overlay(self, outputs: dict[str, str], name: str, **variables: str) -> str:
        """Write the variables that a stage needs on an emulator, and return the file's path."""
        path = FOLDER / f"{name}.json"
        overlay = {
            "AWS_ENDPOINT_URL": self.url,
            "COGNITO_JWKS_URL": f"{self.url}/{outputs['UserPoolId']}/.well-known/jwks.json",
            "COGNITO_DOMAIN_URL": self.url,
            "MOPED_API_ALLOWED_HOSTS": ".localhost,127.0.0.1,.on.aws",
            **variables,
        }
        path.write_text(json.dumps({"aws_environment_variables": overlay}), encoding="utf-8")
        return str(path)

    def _make_login(self) -> str:
        """Give the server a login with a password, which a secret holds as RDS keeps it."""
        password = secrets.token_urlsafe()
        password_auth.set_password(self.database, LOGIN, password)
        login = json.dumps({"username": LOGIN, "password": password})
        return str(self.client("secretsmanager").create_secret(Name="rds!moped", SecretString=login)["ARN"])

    def _values(self, stage: str) -> dict[str, str]:
        """Return the parameters that only an account's operators know."""
        return {
            "IdentityProviders": "COGNITO,azuread",
            "DatabaseUrl": f"postgresql://{LOGIN}@{quote(str(self.database.sockets), safe='')}/{DATABASE}",
            "DatabaseSecretArn": self._login_secret,
            "GitHubRepository": github.REPOSITORY,
            "Verification": "true",
            "Previews": str(stage == "staging").lower(),
            "PreviewDatabaseUrl": self.database.url.replace(f"//{SUPERUSER}@", "//moped_preview@"),
        }
