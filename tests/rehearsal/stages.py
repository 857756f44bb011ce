"""
`make rehearse`: the whole life of the stages, with output that an operator can read.

`make check` leaves out what is marked `full`. tests/deployment shows the failures at less cost.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from apps.deployment import smoke
from apps.deployment.package import builder
from apps.deployment.package.interpreter import target_of_file
from apps.deployment.paths import BUILD, PROJECT
from apps.devstack.personas import BY_KEY, PASSWORD
from tests.deployment.emulated_account import what_is_left
from tests.deployment.template import listed as as_list
from tests.deployment.template import statements
from tests.rehearsal import github
from tests.rehearsal.clients import carry, over_http, walk
from tests.rehearsal.environment import EDITOR, FOLDER, Environment, Outcome
from tests.support import strict_mode
from tests.support.waiting import wait_until

API, FUNCTION, PREVIEW = "staging", "moped-api-staging", "12"
# Changes for admins. Previews refuse them to all callers.
ADMIN_CHANGES = (
    ("POST", "/users/"),
    ("PUT", "/users/activate/"),
    ("PUT", f"/users/{'1' * 8}"),
    ("DELETE", "/users/1"),
)
# What reconcile_users finds among the accounts of a rehearsal.
FINDINGS = {
    ("stray_account", BY_KEY["outsider"].email),
    ("address_unverified", BY_KEY["unverified"].email),
}
# Rights of these roles that no step needs.
RARELY_NEEDED = {
    "apigateway:DELETE",  # CloudFormation, when it could not make an API
    "cloudformation:DescribeStackResource",  # `stage verify` without `--url`
    "lambda:DeleteFunction",  # the eleventh version of a function
}


def report(fact: str, *, holds: bool = True) -> None:
    """Print one fact, and fail if it does not hold."""
    print(f"  {'✓' if holds else '✗'} {fact}", flush=True)
    assert holds, fact


@pytest.fixture(scope="module")
def environment() -> Iterator[Environment]:
    with ExitStack() as cleanup:
        yield Environment(cleanup)


@pytest.fixture(scope="module")
def state() -> dict[str, Any]:
    """What later steps need: overlays by stage, the callers, and commands that are still to be run."""
    return {"overlays": {}, "callers": {}, "documented_commands": documented_commands()}


def documented_commands() -> list[list[str]]:
    """Return the arguments of every manage.py under "A new account" in docs/operations.md, in order."""
    page = (PROJECT / "docs" / "operations.md").read_text()
    section = page.partition("\n## A new account\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^ *python manage\.py (.*)$", section, re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


class TestStages:
    """The steps. Each starts from the state that the last one left."""

    @pytest.fixture(autouse=True)
    def _state(self, environment: Environment, state: dict[str, Any], pytestconfig: pytest.Config) -> None:
        self.environment, self.outputs = environment, environment.outputs
        self.brief = "not full" in pytestconfig.option.markexpr
        self.stages = (API,) if self.brief else (API, "production")
        self.overlays: dict[str, str] = state["overlays"]
        self.callers: dict[str, Any] = state["callers"]
        self.documented_commands: list[list[str]] = state["documented_commands"]
        print()  # pytest has printed the name of the step

    def test_packages_are_built_byte_for_byte(self) -> None:
        built = {requirements: builder.build(requirements) for requirements in self.stages}
        for requirements, package in built.items():
            report(f"{requirements}: {package.size / 2**20:.1f} MiB, sha256 {package.digest[:16]}")
        if not self.brief:
            with tempfile.TemporaryDirectory(prefix="moped-again-") as elsewhere:
                again = builder.build("production", Path(elsewhere))
            same = built["production"].digest == again.digest
            report("production again, elsewhere: the same bytes", holds=same)

    def test_stack_and_secrets(self) -> None:
        parameters = self.environment.write_parameters(API)
        self._run_documented("setup", "stack", last=("--parameters", parameters), run=self.environment.type)
        self._read_outputs(API)
        self._run_documented("setup", "secrets")
        report(
            "a runner of production does not get staging's role", holds=self._production_runner_is_refused()
        )

    def test_first_deployment(self) -> None:
        if not self.brief:  # Lambda does not know its role yet
            strict_mode.refuse_roles(self.environment.url, 1)
        self._run_documented("stage", "deploy", last=("--overlay", self.overlays[API]))

    def test_personas_sign_in_through_the_trigger(self) -> None:
        first_admin = next(words[3] for words in self.documented_commands if words[:2] == ["setup", "admin"])
        self._run_documented("setup", "stack", last=("--parameters", self.environment.write_parameters(API)))
        self._run_documented(
            "setup", "admin", after=("--overlay", self.overlays[API]), standard_input=f"{PASSWORD}\n"
        )
        self._run_documented("setup", "host", after=("--overlay", self.overlays[API]))
        self._run_documented("stage", "status", last=("--overlay", self.overlays[API]))
        report("all documented commands were run", holds=not self.documented_commands)
        self._call_as_first_admin(first_admin)
        self.callers.update(self._make_callers())
        signed_in = sorted(key for key, token in self.callers["tokens"].items() if token)
        report(f"signed in: {', '.join(signed_in)}", holds=len(signed_in) >= len(self.callers["tokens"]) - 1)
        report("the trigger denies the outsider", holds=not self.callers["tokens"]["outsider"])

    def test_gateway_serves_every_route(self) -> None:
        call = self._gateway(API)
        self._wait_until_ready(call)
        tokens = self.callers["tokens"]
        self._call_all_routes(call, {"admin": tokens["admin"]} if self.brief else tokens)
        report(carry(call, tokens["editor"], EDITOR))
        self._reconcile_users()
        code = call("GET", "/nowhere").json()["code"]
        report("an error has its JSON body", holds=code == "not_found")
        self._verify()
        report("logs can be read", holds="request" in self._run("stage", "logs", API, show=False))

    @pytest.mark.full
    def test_failed_deployment_changes_nothing(self) -> None:
        before = self._live_version()
        no_pool = self.environment.overlay(self.outputs[API], "no-pool", COGNITO_USERPOOL_ID="")
        refusal = self.environment.manage(*self._deploy(API, no_pool)).refusal
        report(f"a missing variable: {refusal}", holds="COGNITO_USERPOOL_ID is missing" in refusal)
        report(f"version {before} is live all the while", holds=self._live_version() == before)
        report("it answers", holds=self._gateway(API)("GET", "/").status_code == HTTPStatus.OK)

    def test_update_is_live(self) -> None:
        first, changed = self._live_version(), FOLDER / "changed.zip"
        shutil.copy(BUILD / f"{FUNCTION}.zip", changed)
        with zipfile.ZipFile(changed, "a") as package:
            package.comment = b"another digest, as after a push"
        self._run(*self._deploy(API), "--package", str(changed))
        second = self._live_version()
        report(f"version {first} → {second}", holds=first != second)
        report("it answers", holds=self._gateway(API)("GET", "/").status_code == 200)

    @pytest.mark.full
    def test_rollback_and_forward_again(self) -> None:
        second = self._live_version()
        self._run("stage", "rollback", API)
        report("another version is live", holds=self._live_version() != second)
        report("it answers", holds=self._gateway(API)("GET", "/").status_code == HTTPStatus.OK)
        self._run("stage", "rollback", API, "--to", second)

    @pytest.mark.full
    def test_production_after_an_interrupted_deployment(self) -> None:
        parameters = self.environment.write_parameters("production")
        self._run("setup", "stack", "production", "--parameters", parameters)
        self._run("setup", "secrets", "production")
        self._read_outputs("production")
        self.environment.client("lambda").create_function(
            FunctionName="moped-api-production",
            Runtime=target_of_file().runtime,
            Role=self.outputs["production"]["FunctionRoleArn"],
            Handler="moped_api.lambda_handler.lambda_handler",
            Code={"ZipFile": (BUILD / "moped-api-production.zip").read_bytes()},
        )
        self._run(*self._deploy("production"))
        report("production answers", holds=self._gateway("production")("GET", "/").status_code == 200)
        report(
            "production has no pages", holds=self._gateway("production")("GET", "/docs/").status_code == 404
        )

    @pytest.mark.full
    def test_preview_is_created_called_updated_and_deleted(self) -> None:
        self.environment.let_previews_read()
        overlay = self.environment.overlay(self.outputs[API], "preview")
        words = ("--commit", "first", "--overlay", overlay)
        url = self._url_of(self._run("preview", "up", PREVIEW, *words))
        call = over_http(self.environment.port, re.sub(r"^https?://|/.*$", "", url))
        self._wait_until_ready(call)
        self._call_preview(call)
        self._run("preview", "up", PREVIEW, "--commit", "second", *words[2:])
        report("a push is at the same URL", holds=call("GET", "/health/live").json()["commit"] == "second")
        self._run("preview", "list")
        self._run("preview", "sweep", "--open", PREVIEW, "--spare", "0", "--yes")
        self._run("preview", "down", PREVIEW)
        report("nothing answers", holds=call("GET", "/").status_code in {403, 404})
        for stage in (API, "production"):
            report(f"{stage} answers", holds=self._gateway(stage)("GET", "/").status_code == 200)

    def test_roles_of_github_list_what_was_needed(self) -> None:
        for role in ("DeploymentRole", "VerificationRole"):
            role_rights = {action for each in statements(role) for action in as_list(each["Action"])}
            needed = strict_mode.rights_asked_of(self.environment.url, self.outputs[API][f"{role}Arn"])
            missing, unused = sorted(needed - role_rights), sorted(role_rights - needed - RARELY_NEEDED)
            report(f"{role} lacks: {', '.join(missing) or 'nothing'}", holds=not missing)
            report(f"{role} does not need: {', '.join(unused) or 'nothing'}", holds=not unused)

    def test_removal_leaves_data_only(self) -> None:
        parameters = ("--parameters", self.environment.write_parameters(API))
        self._run("setup", "stack", API, "--trigger", "off", *parameters)
        for stage in reversed(self.stages):
            self._run("stage", "undeploy", stage, "--yes")
        apis = self.environment.client("apigateway").get_rest_apis()["items"]
        logs = ("/aws/lambda/moped-api", "/aws/lambda/moped-reconcile")
        permanent = {f"{name}-{stage}" for name in ("moped", *logs) for stage in self.stages}
        everything = {*what_is_left(), *(api["name"] for api in apis)}
        remains = sorted(name for name in everything - permanent if not name.startswith("moped-host-"))
        report(f"left behind: {', '.join(remains) or 'nothing'}", holds=not remains)
        pools = self.environment.client("cognito-idp").list_user_pools(MaxResults=10)["UserPools"]
        report(f"the user pools are still there: {len(pools)}", holds=len(pools) == len(self.outputs))

    def _call_preview(self, call: Any) -> None:
        reading = [call for call in self.callers["calls"] if call["method"] == "GET"]
        count, faults = walk(call, reading, self.callers["tokens"])
        report(f"{count} reading calls, as every persona with the tokens of staging", holds=not faults)
        admin, editor = self.callers["tokens"]["admin"], self.callers["tokens"]["editor"]
        codes = {call(method, path, admin).json()["code"] for method, path in ADMIN_CHANGES}
        report(f"an admin cannot change users: {', '.join(codes)}", holds=codes == {"read_only_stage"})
        report(carry(call, editor, EDITOR, f"previews/{PREVIEW}/"))

    def _url_of(self, output: str) -> str:
        match = re.search(r"https://\S+\.on\.aws", output)
        return match[0] if match else "https://none"

    def _run_documented(
        self,
        *expected: str,
        after: tuple[str, ...] = (),
        last: tuple[str, ...] = (),
        standard_input: str = "",
        run: Callable[..., Outcome] | None = None,
    ) -> None:
        """Run the next command of docs/operations.md, with the arguments that only an emulator needs."""
        words = self.documented_commands.pop(0) if self.documented_commands else []
        report(f"the page says: {' '.join(words)}", holds=tuple(words[:2]) == expected)
        if "$CERTIFICATE_ARN" in words:
            words[-1] = self.environment.request_certificate(words[-2])
        self._run(*words[:1], *after, *words[1:], *last, run=run, standard_input=standard_input)

    def _read_outputs(self, stage: str) -> None:
        self.overlays[stage] = self.environment.overlay(self.environment.read_outputs(stage), stage)

    def _call_as_first_admin(self, email: str) -> None:
        tokens = smoke.sign_in(self.outputs[API], USERNAME=email, PASSWORD=PASSWORD)
        answer = self._gateway(API)("GET", "/users/", tokens["IdToken"])
        report(
            f"the first admin lists users: {answer.status_code}", holds=answer.status_code == HTTPStatus.OK
        )

    def _deploy(self, stage: str, overlay: str = "") -> list[str]:
        return ["stage", "deploy", stage, "--overlay", overlay or self.overlays[stage]]

    def _run(
        self, *words: str, show: bool = True, run: Callable[..., Outcome] | None = None, **more: str
    ) -> str:
        outcome = (run or partial(self.environment.manage, **more))(*words)
        if show:
            print("  $ manage.py " + " ".join(w for w in words if "/" not in w and w != "--overlay"))
            print("".join(f"    {line}\n" for line in outcome.output.splitlines()), end="")
        if outcome.refusal:
            report(f"{' '.join(words[:3])}: {outcome.refusal}", holds=False)
        return outcome.output

    def _make_callers(self) -> dict[str, Any]:
        """Create the personas with the variables of the function."""
        function = self.environment.client("lambda").get_function_configuration(FunctionName=FUNCTION)
        variables = function["Environment"]["Variables"]
        process = subprocess.run(
            [sys.executable, "-m", "tests.rehearsal.personas"],
            cwd=PROJECT,
            env={**os.environ, **variables, "DJANGO_SETTINGS_MODULE": "moped_api.settings"},
            capture_output=True,
            text=True,
            check=False,
        )
        if process.returncode:
            pytest.fail(f"The personas could not be created: {process.stderr[-2000:]}")
        return dict(json.loads(process.stdout))

    def _reconcile_users(self) -> None:
        """Compare the accounts: the findings are the accounts that have no person, and one address."""
        result = json.loads(self.environment.manage("stage", "manage", API, "reconcile_users --json").output)
        findings = {
            (each["code"], each["address"]) for each in result["disagreements"] if not each["is_notice"]
        }
        report("reconcile_users compared all accounts", holds=result["complete"] and findings == FINDINGS)

    def _verify(self) -> None:
        url = f"{self.environment.url}/restapis/{self._api_id(API)}/{API}/_user_request_"
        words = ("stage", "verify", API, "--url", url, "--overlay", self.overlays[API])
        self._run(*words, run=self.environment.type)  # pytest reads Django's settings in a process of its own

    def _production_runner_is_refused(self) -> bool:
        try:
            github.credentials(self.outputs[API]["DeploymentRoleArn"], "production")
        except ClientError as error:
            return error.response["Error"]["Code"] == "AccessDenied"
        return False

    def _gateway(self, stage: str) -> Any:
        api_id = self._api_id(stage)
        return over_http(
            self.environment.port, f"{api_id}.execute-api.localhost:{self.environment.port}", f"/{stage}"
        )

    def _api_id(self, stage: str) -> str:
        apis = self.environment.client("apigateway").get_rest_apis()["items"]
        return str(next(api["id"] for api in apis if api["name"] == f"moped-api-{stage}"))

    def _live_version(self) -> str:
        alias = self.environment.client("lambda").get_alias(FunctionName=FUNCTION, Name="live")
        return str(alias["FunctionVersion"])

    def _call_all_routes(self, call: Any, tokens: dict[str, str]) -> None:
        count, faults = walk(call, self.callers["calls"], tokens)
        assert not faults
        report(f"{count} calls, every route as {', '.join(sorted(tokens))}")

    def _wait_until_ready(self, call: Any) -> None:
        """Wait for a new function to be ready: it imports boto3 at the first call."""
        ready = wait_until(lambda: call("GET", "/health/ready").status_code == HTTPStatus.OK)
        report("ready: bucket, claims table, database, key set and secrets answer", holds=ready)
