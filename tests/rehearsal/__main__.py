"""
`make rehearse`: the whole life of the stages, and a page of output that an operator can read.

With `--brief`, as in `make check`: staging alone, and only what no other test goes through.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from apps.deployment.package import builder
from apps.deployment.package.target import target_of_file
from apps.deployment.paths import BUILD, PROJECT
from apps.deployment.verification import facts
from apps.devstack.personas import BY_KEY, PASSWORD
from apps.health import probes
from tests.deployment.template import listed as as_list
from tests.deployment.template import statements
from tests.rehearsal import github, page
from tests.rehearsal.clients import over_http, through_runtime, walk
from tests.rehearsal.environment import EDITOR, FOLDER, Environment
from tests.rehearsal.file_round_trip import carry
from tests.support import lambda_environment, lambda_runtime, strict_mode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from subprocess import CompletedProcess

READY_QUESTIONS = 15
API, PREVIEW = "staging", "12"
# What only an admin may do, on the stages where anybody may.
CHANGES = (
    ("POST", "/users/"),
    ("PUT", "/users/activate/"),
    ("PUT", f"/users/{'1' * 8}"),
    ("DELETE", "/users/1"),
)
# What reconcile_users finds among the people of a rehearsal.
FINDINGS = {
    ("stray_account", BY_KEY["outsider"].email),
    ("address_unverified", BY_KEY["unverified"].email),
}
# Rights of these roles that no scene needs.
SELDOM = {
    "apigateway:DELETE",  # CloudFormation, when it could not make an API
    "cloudformation:DescribeStackResource",  # `stage verify` without `--url`
    "lambda:DeleteFunction",  # the eleventh version of a function
}
failures: list[str] = []


@contextmanager
def scene(name: str) -> Iterator[None]:
    """Say what is played, and how long it took."""
    begun = time.monotonic()
    print(f"\n▸ {name}", flush=True)
    yield
    print(f"  {time.monotonic() - begun:.1f} s", flush=True)


def note(what: str, *, holds: bool = True) -> None:
    """Write one line; what does not hold fails the rehearsal."""
    print(f"  {'✓' if holds else '✗'} {what}", flush=True)
    if not holds:
        failures.append(what)


def main() -> None:
    """Play it, and exit with 1 if anything did not hold."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.rehearsal", description="Rehearse all deployments."
    )
    parser.add_argument("--brief", action="store_true", help="staging alone, once")
    brief = parser.parse_args().brief
    begun = time.monotonic()
    with Environment() as theatre:
        Rehearsal(theatre, brief=brief).play()
    print(f"\n{len(failures)} did not hold; {time.monotonic() - begun:.0f} seconds in all")
    for failure in failures:
        print(f"  ✗ {failure}")
    sys.exit(1 if failures else 0)


class Rehearsal:
    """One after the other, each scene on what the one before it left."""

    def __init__(self, theatre: Environment, *, brief: bool) -> None:
        self.theatre = theatre
        self.brief = brief
        self.stages = (API,) if brief else (API, "production")
        self.made: dict[str, dict[str, str]] = {}
        self.overlays: dict[str, Path] = {}
        self.people: dict[str, Any] = {}
        self.page = page.commands(page.NEW_ACCOUNT)

    def play(self) -> None:
        """Play every scene. A brief rehearsal leaves out those that tests/deployment covers with less."""
        acts = (
            self.packages,
            self.same_bytes,
            self.refusals,
            self.first_deployment,
            self.trigger_and_people,
            self.through_the_gateway,
            self.in_lambdas_own_runtime,
            self.update_and_rollback,
            self.deployments_that_fail,
            self.others_beside_it,
            self.preview,
            self.rights_of_github,
            self.the_end,
        )
        only_in_full = {
            self.same_bytes,
            self.in_lambdas_own_runtime,
            self.deployments_that_fail,
            self.others_beside_it,
            self.preview,
        }
        for act in acts:
            if self.brief and act in only_in_full:
                continue
            with scene(act.__doc__ or act.__name__):
                act()

    def packages(self) -> None:
        """The packages."""
        for requirements in self.stages:
            built = builder.build(requirements)
            note(f"{requirements}: {built.size / 2**20:.1f} MiB, sha256 {built.digest[:16]}")

    def same_bytes(self) -> None:
        """A package built again, elsewhere."""
        first = builder.build("production")
        with tempfile.TemporaryDirectory(prefix="moped-again-") as elsewhere:
            again = builder.build("production", Path(elsewhere))
        note("production again, elsewhere: the same bytes", holds=first.digest == again.digest)

    def refusals(self) -> None:
        """What cannot be deployed says why, in a sentence."""
        self._refused("no stack", "There is no stack moped-staging", "stage", "deploy", API)
        self._page("setup", "stack", last=("--parameters", str(self.theatre.write_parameters(API))))
        self._learn(API)
        self._refused("an empty secret", "missing or empty", *self._deploy(API))
        self._page("setup", "secrets")
        note("a runner of another environment is not given staging's role", holds=self._is_turned_away())
        self._refused("no such stage", "There is no stage 'test'", "stage", "deploy", "test")
        self._refused("nothing to undeploy", "is not deployed", "stage", "undeploy", API, "--yes")

    def first_deployment(self) -> None:
        """The first deployment of staging, whose role Lambda does not know yet."""
        strict_mode.refuse_roles(self.theatre.url, 1)
        self._page("stage", "deploy", last=("--overlay", str(self.overlays[API])))
        note(
            "status shows a live version",
            holds="live version  " in self._typed("stage", "status", API, show=False),
        )

    def trigger_and_people(self) -> None:
        """The trigger is attached; the first admin and every persona sign in through it."""
        first_admin = next(words[3] for words in self.page if words[:2] == ["setup", "admin"])
        self._page("setup", "stack", last=("--parameters", str(self.theatre.write_parameters(API))))
        self._page("setup", "admin", after=("--overlay", str(self.overlays[API])), typed=f"{PASSWORD}\n")
        self._page("setup", "host", after=("--overlay", str(self.overlays[API])))
        self._page("stage", "status", last=("--overlay", str(self.overlays[API])))
        note(f"the page has no command left: {self.page}", holds=not self.page)
        self._first_admin_asks(first_admin)
        self.people = self._people(API)
        signed_in = sorted(key for key, token in self.people["tokens"].items() if token)
        note(f"signed in: {', '.join(signed_in)}", holds=len(signed_in) >= len(self.people["tokens"]) - 1)
        note("the outsider is turned away by the trigger", holds=not self.people["tokens"]["outsider"])

    def through_the_gateway(self) -> None:
        """HTTP through API Gateway: every route as every persona, a file up and down, a command."""
        ask = self._gateway(API)
        self._ready(ask)
        self._walked(ask)
        self.theatre.rotate_database_password()
        time.sleep(probes.REMEMBERED_SECONDS)
        self._ready(ask, "after the database's password was rotated")
        self._carry_a_file(ask)
        log = self._typed("stage", "manage", API, "check", show=False)
        note("manage check: no issues", holds="no issues" in log)
        self._compared()
        refused = ask("GET", "/nowhere")
        note("a failure has its body and its type", holds=refused.body["code"] == "not_found")
        self._verified()
        note("logs can be read", holds="request" in self._typed("stage", "logs", API, show=False))

    def in_lambdas_own_runtime(self) -> None:
        """The same package in Lambda's runtime client, events of both versions."""
        with tempfile.TemporaryDirectory(prefix="moped-task-") as scratch:
            task = lambda_runtime.unpacked(BUILD / "moped-api-staging.zip", Path(scratch) / "task")
            before = set(task.rglob("*"))
            variables = {**self._variables(API), **self._credentials()}
            with lambda_runtime.Function(lambda_environment.python(), task, variables) as function:
                self._ready(through_runtime(function, 1))
                for version in (1, 2):
                    self._walked(through_runtime(function, version), f"version {version} events: ")
                note(f"{function.peak_memory_bytes() / 2**20:.0f} MB at most")
            note("nothing was written beside it", holds=before == set(task.rglob("*")))
            subprocess.run(["chmod", "-R", "u+w", scratch], check=True)

    def update_and_rollback(self) -> None:
        """An update, a roll-back, and forward again."""
        first = self._live(API)
        self._typed(*self._deploy(API))
        second = self._live(API)
        note(f"version {first} → {second}", holds=first != second)
        self._typed("stage", "rollback", API)
        note(f"back to version {first}", holds=self._live(API) == first)
        note("it answers", holds=self._gateway(API)("GET", "/").status == 200)
        self._typed("stage", "rollback", API, "--to", second)

    def deployments_that_fail(self) -> None:
        """Deployments that fail: the running version goes on."""
        before = self._live(API)
        wrong = self.theatre.overlay(self.made[API], "wrong", COGNITO_USERPOOL_ID="")
        self._refused("a missing variable", "COGNITO_USERPOOL_ID is missing", *self._deploy(API, wrong))
        elsewhere = self.theatre.overlay(
            self.made[API], "elsewhere", COGNITO_JWKS_URL=f"{self.theatre.url}/none"
        )
        self._refused("a wrong key set", "instead of 200", *self._deploy(API, elsewhere))
        self._refused("a role that is not there", "role", *self._deploy(API, self._with_role_gone()))
        self._refused(
            "a package that was never built", "manage.py package", *self._deploy(API), "--package", "no.zip"
        )
        note(f"version {before} is live all the while", holds=self._live(API) == before)
        note("it answers", holds=self._gateway(API)("GET", "/").status == 200)
        self._typed(*self._deploy(API))

    def others_beside_it(self) -> None:
        """Production beside it. Its first deployment was interrupted before it had a gateway."""
        parameters = str(self.theatre.write_parameters("production"))
        self._typed("setup", "stack", "production", "--parameters", parameters)
        self._typed("setup", "secrets", "production")
        self._learn("production")
        self.theatre.client("lambda").create_function(
            FunctionName="moped-api-production",
            Runtime=target_of_file().runtime,
            Role=self.made["production"]["FunctionRoleArn"],
            Handler="moped_api.lambda_handler.lambda_handler",
            Code={"ZipFile": (BUILD / "moped-api-production.zip").read_bytes()},
        )
        self._typed(*self._deploy("production"))
        note("production answers", holds=self._gateway("production")("GET", "/").status == 200)
        pages = self._gateway("production")("GET", "/docs/")
        note("production has no pages", holds=pages.status == 404)

    def preview(self) -> None:
        """A preview's whole life: opened, tried, pushed to, closed, and nothing of it left."""
        self.theatre.let_previews_read()
        overlay = self.theatre.overlay(self.made[API], "preview")
        words = ("--commit", "first", "--overlay", str(overlay))
        self._refused("a number that is none", "is not the number", "preview", "up", "twelve")
        url = self._preview_url(self._typed("preview", "up", PREVIEW, *words))
        ask = over_http(self.theatre.port, re.sub(r"^https?://|/.*$", "", url))
        self._ready(ask)
        self._tried_by_everybody(ask)
        self._typed("preview", "up", PREVIEW, "--commit", "second", *words[2:])
        note("a push is at the same URL", holds=ask("GET", "/health/live").body["commit"] == "second")
        self._typed("preview", "list")
        self._typed("preview", "sweep", "--open", PREVIEW, "--spare", "0", "--yes")
        self._typed("preview", "down", PREVIEW)
        self._typed("preview", "down", PREVIEW)
        note("nothing answers", holds=ask("GET", "/").status in {403, 404})
        for stage in (API, "production"):
            note(f"{stage} answers", holds=self._gateway(stage)("GET", "/").status == 200)

    def rights_of_github(self) -> None:
        """The roles of GitHub's jobs list what was asked of them, and nothing else."""
        for role in ("DeploymentRole", "VerificationRole"):
            listed = {action for each in statements(role) for action in as_list(each["Action"])}
            asked = strict_mode.rights_asked_of(self.theatre.url, self.made[API][f"{role}Arn"])
            missing, unused = sorted(asked - listed), sorted(listed - asked - SELDOM)
            note(f"{role} lacks: {', '.join(missing) or 'nothing'}", holds=not missing)
            note(f"{role} does not need: {', '.join(unused) or 'nothing'}", holds=not unused)

    def the_end(self) -> None:
        """The trigger is detached, everything is undeployed, and nothing is left."""
        self._refused("the pool still calls it", "The user pool calls", "stage", "undeploy", API, "--yes")
        parameters = ("--parameters", str(self.theatre.write_parameters(API)))
        self._typed("setup", "stack", API, "--trigger", "off", *parameters)
        for stage in reversed(self.stages):
            self._typed("stage", "undeploy", stage, "--yes")
        functions = self.theatre.client("lambda").list_functions()["Functions"]
        apis = self.theatre.client("apigateway").get_rest_apis()["items"]
        stacks = self.theatre.client("cloudformation").describe_stacks()["Stacks"]
        names = [stack["StackName"] for stack in stacks if stack["StackName"].startswith("moped-api-")]
        groups = self.theatre.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/moped-api-")
        left = [f["FunctionName"] for f in functions] + [a["name"] for a in apis] + names
        kept = {made["FunctionLog"] for made in self.made.values()}
        left += [group["logGroupName"] for group in groups["logGroups"] if group["logGroupName"] not in kept]
        note(f"left behind: {', '.join(left) or 'nothing'}", holds=not left)
        pools = self.theatre.client("cognito-idp").list_user_pools(MaxResults=10)["UserPools"]
        note(f"what holds data is still there: {len(pools)} user pools", holds=len(pools) == len(self.made))

    def _tried_by_everybody(self, ask: Any) -> None:
        looks = [call for call in self.people["calls"] if call["method"] == "GET"]
        count, wrong = walk(ask, {**self.people, "calls": looks})
        note(f"{count} looks, as every persona with the tokens of staging", holds=not wrong)
        admin, editor = self.people["tokens"]["admin"], self.people["tokens"]["editor"]
        refused = [ask(method, path, admin).body["code"] for method, path in CHANGES]
        note(f"an admin changes nobody: {', '.join(refused)}", holds=set(refused) == {"read_only_stage"})
        note(carry(ask, editor, EDITOR, f"previews/{PREVIEW}/"))

    def _preview_url(self, said: str) -> str:
        found = re.search(r"https://\S+\.on\.aws", said)
        return found[0] if found else "https://none"

    # ---- how it is done ---------------------------------------------------------------------------

    def _page(
        self, *expected: str, after: tuple[str, ...] = (), last: tuple[str, ...] = (), typed: str = ""
    ) -> None:
        """Type the next command of the page, with what it needs because this is not AWS."""
        words = self.page.pop(0) if self.page else []
        note(f"the page says: {' '.join(words)}", holds=tuple(words[:2]) == expected)
        if "$CERTIFICATE_ARN" in words:
            words[-1] = self.theatre.request_certificate(words[-2])
        self._typed(*words[:1], *after, *words[1:], *last, typed=typed)

    def _learn(self, stage: str) -> None:
        self.made[stage] = self.theatre.read_outputs(stage)
        self.overlays[stage] = self.theatre.overlay(self.made[stage], stage)

    def _first_admin_asks(self, email: str) -> None:
        made = self.made[API]
        signed_in = self.theatre.client("cognito-idp").admin_initiate_auth(
            UserPoolId=made["UserPoolId"],
            ClientId=made["ClientId"],
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": email, "PASSWORD": PASSWORD},
        )
        answer = self._gateway(API)("GET", "/users/", signed_in["AuthenticationResult"]["IdToken"])
        note(f"the first admin lists users: {answer.status}", holds=answer.status == HTTPStatus.OK)

    def _deploy(self, stage: str, overlay: Path | None = None) -> list[str]:
        return ["stage", "deploy", stage, "--overlay", str(overlay or self.overlays[stage])]

    def _typed(self, *words: str, show: bool = True, typed: str = "") -> str:
        done = self.theatre.manage(*words, typed=typed)
        if show:
            print("  $ manage.py " + " ".join(w for w in words if "/" not in w and w != "--overlay"))
            print("".join(f"    {line}\n" for line in done.stdout.splitlines()), end="")
        if done.returncode:
            note(f"{' '.join(words[:3])}: {_sentence(done)}", holds=False)
        return done.stdout

    def _refused(self, what: str, because: str, *words: str) -> None:
        done = self.theatre.manage(*words)
        sentence = _sentence(done)
        note(f"{what}: {sentence}", holds=bool(done.returncode) and because in sentence)

    def _people(self, stage: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "tests.rehearsal.personas"],
            cwd=PROJECT,
            env={**os.environ, **self._variables(stage), "DJANGO_SETTINGS_MODULE": "moped_api.settings"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"The personas could not be made: {done.stderr[-2000:]}")
        return dict(json.loads(done.stdout))

    def _variables(self, stage: str) -> dict[str, str]:
        configuration = self.theatre.client("lambda").get_function_configuration(
            FunctionName=f"moped-api-{stage}"
        )
        return dict(configuration["Environment"]["Variables"])

    def _credentials(self) -> dict[str, str]:
        """Return what Lambda would give the function: the credentials of its role, and no more."""
        role = self.made[API]["FunctionRoleArn"]
        given = self.theatre.client("sts").assume_role(RoleArn=role, RoleSessionName="rehearsal")[
            "Credentials"
        ]
        return {
            "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
            "AWS_SESSION_TOKEN": given["SessionToken"],
        }

    def _compared(self) -> None:
        """Compare the accounts: the findings are the accounts that have no person, and one address."""
        said = json.loads(self.theatre.manage("stage", "manage", API, "reconcile_users --json").stdout)
        found = {(each["code"], each["address"]) for each in said["disagreements"] if not each["is_notice"]}
        note("all accounts were compared", holds=said["complete"] and found == FINDINGS)

    def _verified(self) -> None:
        url = f"{self.theatre.url}/restapis/{self._api_id(API)}/{API}/_user_request_"
        words = ("stage", "verify", API, "--url", url, "--overlay", str(self.overlays[API]))
        held = self._typed(*words, show=False).splitlines()
        note(f"verified, as every night: {len(held)} facts hold", holds=len(held) == len(facts.FACTS))

    def _is_turned_away(self) -> bool:
        try:
            github.credentials(self.made[API]["DeploymentRoleArn"], "production")
        except ClientError as error:
            return error.response["Error"]["Code"] == "AccessDenied"
        return False

    def _with_role_gone(self) -> Path:
        path = FOLDER / "role.json"
        changes = json.loads(self.overlays[API].read_text(encoding="utf-8"))
        changes["role_arn"] = "arn:aws:iam::000000000000:role/gone"
        path.write_text(json.dumps(changes), encoding="utf-8")
        return path

    def _gateway(self, stage: str) -> Any:
        found = self._api_id(stage)
        return over_http(self.theatre.port, f"{found}.execute-api.localhost:{self.theatre.port}", f"/{stage}")

    def _api_id(self, stage: str) -> str:
        apis = self.theatre.client("apigateway").get_rest_apis()["items"]
        return str(next(api["id"] for api in apis if api["name"] == f"moped-api-{stage}"))

    def _live(self, stage: str) -> str:
        alias = self.theatre.client("lambda").get_alias(FunctionName=f"moped-api-{stage}", Name="live")
        return str(alias["FunctionVersion"])

    def _walked(self, ask: Any, how: str = "") -> None:
        count, wrong = walk(ask, self.people)
        note(f"{how}{count} calls, every route as every persona", holds=not wrong)
        for line in wrong[:5]:
            note(line[:300], holds=False)

    def _ready(self, ask: Any, when: str = "") -> None:
        """Wait for a new function to be ready: it imports boto3 at the first question."""
        answers = (ask("GET", "/health/ready") for _ in range(READY_QUESTIONS))
        for answer in answers:
            if answer.status == HTTPStatus.OK:
                note(f"ready: {when or 'bucket, claims table, database, key set and secrets answer'}")
                return
            time.sleep(1)
        note(f"ready {when}: {answer.body}", holds=False)

    def _carry_a_file(self, ask: Any) -> None:
        note(carry(ask, self.people["tokens"]["editor"], EDITOR))


def _sentence(done: CompletedProcess[str]) -> str:
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    text = " ".join(line.strip() for line in lines[-3:])
    return text.partition(": ")[2] or text or f"exit {done.returncode} and not a word"


if __name__ == "__main__":
    main()
