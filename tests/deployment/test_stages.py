"""The life of a stage at the embedded AWS; Zappa's part is played by the two calls it comes down to."""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import uuid
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
import requests
from botocore.exceptions import ClientError
from django.core.management import CommandError, call_command
from jose import jwt

from apps.claims.hasura import CLAIMS_NAMESPACE
from apps.core.aws import clients
from apps.deployment import reconciliation, smoke_account, stages, subprocesses, zappa
from apps.deployment.aws import functions, rest_api, stack
from apps.deployment.errors import StageError
from apps.deployment.management.commands.stage import Command
from apps.deployment.package.builder import Package
from apps.deployment.settings import rendering, zappa_settings
from apps.deployment.settings.rendering import Stage
from apps.deployment.verification import facts
from apps.devstack import personas
from apps.devstack import stack as laptop_stack
from apps.users.management.commands import reconcile_users
from tests.support import strict_mode
from tests.support.waiting import LIMIT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from apps.devstack.emulator import Emulator

pytestmark = [pytest.mark.slow(cost=60), pytest.mark.emulator]

RIGHT = {"/": 200, "/auth/current_user": 401}
ANSWERS = """
answers, with_token = {answers!r}, {with_token}

def lambda_handler(event, context):
    if "manage" in event:
        print("managed", event["manage"])
        {manage}
        return {{}}
    if "triggerSource" in event:
        {trigger}
        return event
    token = "Authorization" in event["headers"]
    status = with_token if token else answers[event["path"]]
    return {{"statusCode": status, "body": '{{"detail": "as the test wants it"}}'}}
"""


def answer_with(claims: str) -> dict[str, Any]:
    """Return the response of a pre-token trigger."""
    return {"claimsOverrideDetails": {"claimsToAddOrOverride": {CLAIMS_NAMESPACE: claims}}}


def claims_of_smoke_token() -> str:
    token = smoke_account.smoke_token(laptop_stack.outputs())
    return str(jwt.get_unverified_claims(token)[CLAIMS_NAMESPACE])


@pytest.fixture
def packed(tmp_path: Path) -> Callable[..., Package]:
    """Return a maker of packages that answer as a test wants."""

    def make(
        answers: dict[str, int] | None = None,
        with_token: int = 200,
        manage: str = "pass",
        trigger: str = "",
    ) -> Package:
        trigger = trigger or f"event['response'] = {answer_with(claims_of_smoke_token())!r}"
        source = ANSWERS.format(
            answers=answers or RIGHT, with_token=with_token, manage=manage, trigger=trigger
        )
        path = tmp_path / f"{uuid.uuid4()}.zip"
        with zipfile.ZipFile(path, "w") as zipped:
            zipped.writestr("handler.py", f"# {uuid.uuid4()}\n{source}")
        content = path.read_bytes()
        return Package(path, hashlib.sha256(content).hexdigest(), len(content))

    return make


@pytest.fixture
def staged(furnished_personas: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Stage:
    """Return a stage of its own name, on what the laptop's stack made."""
    outputs = laptop_stack.outputs() | {"DatabaseUrl": "postgresql:///none"}
    name = f"t{uuid.uuid4().hex[:8]}"
    settings: dict[str, Any] = {
        "role_arn": outputs["FunctionRoleArn"],
        "timeout_seconds": 28,
        "lambda_concurrency": 1,
        "runtime": "python3.13",
        "aws_environment_variables": {"MOPED_API_ALLOWED_HOSTS": "api.example"},
        "moped": {
            "stack": laptop_stack.NAME,
            "log_retention_days": 7,
            "migrate": True,
            "requests_per_second": 0.001,  # however slow the machine, the second is one too many
            "requests_at_once": 1,
        },
    }
    fill(outputs["SmokeSecret"], {"email": personas.BY_KEY["viewer"].email, "password": personas.PASSWORD})
    monkeypatch.setattr(zappa, "deploy", created)
    monkeypatch.setattr(zappa, "update", updated)
    monkeypatch.setattr(
        zappa, "undeploy", lambda stage: clients.lambda_client().delete_function(FunctionName=stage.function)
    )
    return Stage(name, f"moped-api-{name}", settings, outputs, tmp_path / "settings.json")


@pytest.fixture
def owner(staged: Stage) -> Stage:
    """A stage that has the stack to itself."""
    staged.outputs["FunctionLog"] = staged.log_group
    staged.outputs["ReconciliationFunction"] = f"moped-reconcile-{staged.name}"
    staged.settings.update(architecture="x86_64", memory_size=256, tags={"stage": staged.name})
    staged.settings["lambda_handler"] = "handler.lambda_handler"
    staged.settings["lambda_description"] = "The Moped API"
    return staged


def fill(secret: str, content: dict[str, str]) -> None:
    clients.secrets_manager().put_secret_value(SecretId=secret, SecretString=json.dumps(content))


def created(stage: Stage, package: Path) -> None:
    clients.lambda_client().create_function(
        FunctionName=stage.function,
        Runtime="python3.13",
        Role=stage.settings["role_arn"],
        Handler="handler.lambda_handler",
        Code={"ZipFile": package.read_bytes()},
        Timeout=20,
        Environment={"Variables": stage.settings["aws_environment_variables"]},
    )


def updated(stage: Stage, package: Path) -> None:
    """Do what Zappa's update does: it keeps variables that the settings no longer have."""
    client = clients.lambda_client()
    client.update_function_code(FunctionName=stage.function, ZipFile=package.read_bytes(), Publish=True)
    client.get_waiter("function_updated_v2").wait(
        FunctionName=stage.function, WaiterConfig=functions.POLL_INTERVAL
    )
    before = client.get_function_configuration(FunctionName=stage.function)["Environment"]["Variables"]
    variables = before | stage.settings["aws_environment_variables"]
    client.update_function_configuration(FunctionName=stage.function, Environment={"Variables": variables})


def deploy(stage: Stage, package: Package) -> tuple[str, list[str]]:
    messages: list[str] = []
    version = stages.deploy(stage, package, token="", commit="abc123", tell=messages.append)
    return version, messages


class TestDeploy:
    def test_makes_the_first_version_live_after_trying_it(
        self, staged: Stage, packed: Callable[..., Package]
    ) -> None:
        version, messages = deploy(staged, packed())

        alias = functions.live(staged.function)
        assert alias
        assert (alias.version, alias.previous) == (version, "")
        assert "  GET /auth/current_user with a token: 200" in messages
        assert "  pre-token trigger: the claims of the token" in messages
        assert "migrated" in messages

    def test_takes_over_the_tables_that_the_city_has(
        self, staged: Stage, packed: Callable[..., Package]
    ) -> None:
        exists = {"exit_code": 1, "output": "relation exists"}

        deploy(staged, packed(manage=f'if "--fake-initial" not in event["manage"]: return {exists}'))

    def test_moves_traffic_to_the_next_and_remembers_the_one_before(
        self, staged: Stage, packed: Callable[..., Package]
    ) -> None:
        first, _ = deploy(staged, packed())
        second, _ = deploy(staged, packed())

        alias = functions.live(staged.function)
        assert alias
        assert (alias.version, alias.previous) == (second, first)

    @pytest.mark.parametrize(
        ("broken", "because"),
        [
            (
                {"answers": {"/": 500, "/auth/current_user": 401}},
                "GET / without one with 500 instead of 200: as the",
            ),
            ({"with_token": 401}, "with a token with 401 instead of 200"),
            (
                {"manage": "raise RuntimeError('no such\\ntable')"},
                "`migrate --noinput --fake-initial` failed on .*: no such table",
            ),
            (
                {"manage": 'return {"exit_code": 1, "output": "no such table"}'},
                "`migrate --noinput --fake-initial` failed on .*: no such table",
            ),
            ({"trigger": "import no_such_module"}, "fails as pre-token trigger: No module named"),
            ({"trigger": f"event['response'] = {answer_with('{}')!r}"}, "gives other claims"),
            ({"trigger": "raise type('SignInDeniedError', (Exception,), {})('no')"}, "trigger: no"),
        ],
        ids=[
            "a route that crashes",
            "a token that is refused",
            "a migration that fails",
            "a migration that exits",
            "a trigger that crashes",
            "a trigger with other claims",
            "a trigger that denies the sign-in",
        ],
    )
    def test_that_fails_leaves_traffic_where_it_was(
        self, broken: dict[str, Any], because: str, staged: Stage, packed: Callable[..., Package]
    ) -> None:
        first, _ = deploy(staged, packed())

        with pytest.raises(StageError, match=because):
            deploy(staged, packed(**broken))

        alias = functions.live(staged.function)
        assert alias
        assert alias.version == first

    def test_moves_the_function_to_another_processor(
        self, staged: Stage, packed: Callable[..., Package]
    ) -> None:
        deploy(staged, packed())
        staged.settings["architecture"] = "arm64"

        version, _ = deploy(staged, packed())

        published = clients.lambda_client().get_function_configuration(
            FunctionName=staged.function, Qualifier=version
        )
        assert published["Architectures"] == ["arm64"]

    def test_takes_away_a_variable_that_the_settings_no_longer_have(
        self, staged: Stage, packed: Callable[..., Package]
    ) -> None:
        variables = staged.settings["aws_environment_variables"]
        variables["MOPED_API_OLD"] = "1"
        deploy(staged, packed())
        del variables["MOPED_API_OLD"]

        version, _ = deploy(staged, packed())

        published = clients.lambda_client().get_function_configuration(
            FunctionName=staged.function, Qualifier=version
        )
        assert published["Environment"]["Variables"] == variables

    def test_goes_on_where_the_first_was_interrupted(
        self, staged: Stage, packed: Callable[..., Package], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        created(staged, packed().path)
        stacks_at_update = []

        def update(stage: Stage, package: Path) -> None:
            stacks = clients.cloudformation().describe_stacks(StackName=stage.function)["Stacks"]
            stacks_at_update.append(stacks[0]["StackStatus"])
            updated(stage, package)

        monkeypatch.setattr(zappa, "update", update)

        deploy(staged, packed())

        assert stacks_at_update == ["CREATE_COMPLETE"]

    def test_waits_until_lambda_knows_the_role(
        self,
        owner: Stage,
        packed: Callable[..., Package],
        monkeypatch: pytest.MonkeyPatch,
        furnished_emulator: Emulator,
    ) -> None:
        def create(stage: Stage, package: Path) -> None:
            try:
                created(stage, package)
            except ClientError as error:
                raise StageError(f"Could not make {stage.name}: {error}") from error
            strict_mode.refuse_roles(furnished_emulator.url, 1)  # and the role of the second function

        monkeypatch.setattr(zappa, "deploy", create)
        monkeypatch.setattr(functions, "ROLE_PAUSE_SECONDS", 0)
        strict_mode.refuse_roles(furnished_emulator.url, 1)

        version, _ = deploy(owner, packed())

        assert functions.live(owner.outputs["ReconciliationFunction"])
        assert version == "1"

    def test_keeps_logs_for_a_while(self, staged: Stage, packed: Callable[..., Package]) -> None:
        deploy(staged, packed())

        (group,) = clients.logs().describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{staged.function}")[
            "logGroups"
        ]
        assert group["retentionInDays"] == 7

    def test_leaves_the_log_of_a_stage_to_its_stack(
        self, owner: Stage, packed: Callable[..., Package]
    ) -> None:
        clients.logs().create_log_group(logGroupName=owner.log_group)

        deploy(owner, packed())

        (group,) = clients.logs().describe_log_groups(logGroupNamePrefix=owner.log_group)["logGroups"]
        assert "retentionInDays" not in group

    def test_deletes_old_versions_but_never_one_that_is_needed(
        self, staged: Stage, packed: Callable[..., Package], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(functions, "KEPT_VERSIONS", 1)
        first, _ = deploy(staged, packed())
        second, _ = deploy(staged, packed())

        assert set(functions.versions(staged.function)) == {first, second}

    def test_without_its_role_is_refused(self, staged: Stage, packed: Callable[..., Package]) -> None:
        staged.settings["role_arn"] = "arn:aws:iam::000000000000:role/gone"

        with pytest.raises(StageError, match=r"There is no role .*/gone"):
            deploy(staged, packed())

    def test_without_an_account_to_try_it_with_is_refused(
        self, staged: Stage, packed: Callable[..., Package]
    ) -> None:
        fill(staged.outputs["SmokeSecret"], {"email": "nobody@austintexas.gov", "password": "wrong"})
        with pytest.raises(StageError, match="cannot sign in"):
            smoke_account.smoke_token(staged.outputs)

        fill(staged.outputs["SmokeSecret"], {})
        with pytest.raises(StageError, match="holds no email and password"):
            smoke_account.smoke_token(staged.outputs)

    def test_that_lost_a_race_is_refused(self, staged: Stage, packed: Callable[..., Package]) -> None:
        deploy(staged, packed())

        before = functions.live(staged.function)
        deploy(staged, packed())
        with pytest.raises(StageError, match="Another process"):
            functions.make_live(staged.function, "1", None)
        assert before


class TestPrune:
    def test_accepts_a_version_that_is_already_gone(
        self, staged: Stage, packed: Callable[..., Package], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        version, _ = deploy(staged, packed())
        monkeypatch.setattr(functions, "versions", lambda _function: ["99", version])

        functions.prune(staged.function, keep={version}, keep_newest=1)

        assert functions.exists(staged.function)


class TestRollback:
    def test_moves_traffic_back_and_forth(self, staged: Stage, packed: Callable[..., Package]) -> None:
        first, _ = deploy(staged, packed())
        second, _ = deploy(staged, packed())

        assert stages.rollback(staged, "", tell=print) == first
        assert stages.rollback(staged, second, tell=print) == second

    def test_says_what_there_is_to_go_back_to(self, staged: Stage, packed: Callable[..., Package]) -> None:
        with pytest.raises(StageError, match="never made live"):
            stages.rollback(staged, "", tell=print)
        deploy(staged, packed())
        with pytest.raises(StageError, match="has had one version only"):
            stages.rollback(staged, "", tell=print)
        with pytest.raises(StageError, match="has no version 99"):
            stages.rollback(staged, "99", tell=print)


class TestReconciling:
    """The function beside it that compares the staff accounts."""

    def configuration(self, owner: Stage) -> Any:
        return clients.lambda_client().get_function_configuration(
            FunctionName=f"moped-reconcile-{owner.name}", Qualifier=functions.LIVE
        )

    def test_has_the_package_under_its_own_role(self, owner: Stage, packed: Callable[..., Package]) -> None:
        package = packed()

        deploy(owner, package)

        configuration = self.configuration(owner)
        assert configuration["CodeSha256"] == functions.checksum_of(package.digest)
        assert (
            configuration["Role"]
            == owner.outputs["ReconciliationRoleArn"]
            != owner.outputs["FunctionRoleArn"]
        )
        assert configuration["Environment"]["Variables"] == owner.settings["aws_environment_variables"]

    def test_may_run_for_a_minute_longer_than_the_command(
        self, owner: Stage, packed: Callable[..., Package]
    ) -> None:
        deploy(owner, packed())

        assert self.configuration(owner)["Timeout"] - reconcile_users.MAX_SECONDS >= 60

    def test_answers_for_the_command_and_no_other(self, owner: Stage, packed: Callable[..., Package]) -> None:
        deploy(owner, packed(manage='return {"output": context.function_name}'))

        beside = stages.manage(owner, "reconcile_users --json").output
        assert beside == owner.outputs["ReconciliationFunction"]
        assert stages.manage(owner, "check").output == owner.function

    def test_is_removed_though_the_first_answer_was_lost(self, owner: Stage) -> None:
        for _ in range(2):  # boto3 repeats a call whose answer does not come, and then there is none
            reconciliation.remove(owner)

    def test_follows_a_rollback(self, owner: Stage, packed: Callable[..., Package]) -> None:
        first = packed()
        deploy(owner, first)
        deploy(owner, packed())

        stages.rollback(owner, "", tell=print)

        assert self.configuration(owner)["CodeSha256"] == functions.checksum_of(first.digest)

    def test_stays_as_it_is_where_it_has_no_such_package(
        self, owner: Stage, packed: Callable[..., Package]
    ) -> None:
        group, owner.outputs["FunctionLog"] = owner.outputs["FunctionLog"], "of another stage"
        deploy(owner, packed())
        owner.outputs["FunctionLog"] = group
        deploy(owner, packed())
        before = self.configuration(owner)["CodeSha256"]
        messages: list[str] = []

        stages.rollback(owner, "", tell=messages.append)

        assert self.configuration(owner)["CodeSha256"] == before
        assert "stays as it is" in messages[-1]

    def test_stays_as_it_was_if_a_deployment_fails(
        self, owner: Stage, packed: Callable[..., Package]
    ) -> None:
        deploy(owner, packed())
        before = self.configuration(owner)["CodeSha256"]

        with pytest.raises(StageError):
            deploy(owner, packed(with_token=401))

        assert self.configuration(owner)["CodeSha256"] == before

    def test_goes_with_the_stage(self, owner: Stage, packed: Callable[..., Package]) -> None:
        deploy(owner, packed())

        stages.undeploy(owner, tell=print)

        assert not functions.exists(owner.outputs["ReconciliationFunction"])

    def test_is_not_made_for_a_stage_on_the_stack_of_another(
        self, staged: Stage, packed: Callable[..., Package]
    ) -> None:
        deploy(staged, packed())

        assert not functions.exists(staged.outputs["ReconciliationFunction"])

    def test_of_an_old_stack_is_asked_for_first(self, owner: Stage, packed: Callable[..., Package]) -> None:
        del owner.outputs["ReconciliationRoleArn"]

        with pytest.raises(StageError, match=r"lacks ReconciliationRoleArn: update it"):
            deploy(owner, packed())
        assert not functions.exists(owner.function)


class TestLookingAfter:
    def test_status_tells_what_runs(self, staged: Stage, packed: Callable[..., Package]) -> None:
        assert stages.status(staged)["function"] == "not deployed"
        version, _ = deploy(staged, packed())

        assert stages.status(staged)["live version"] == version

    def test_manage_returns_what_the_command_wrote(
        self, staged: Stage, packed: Callable[..., Package]
    ) -> None:
        finding = '{"exit_code": 1, "output": "one finding"}'
        deploy(staged, packed(manage=f'if "migrate" not in event["manage"]: return {finding}'))

        outcome = stages.manage(staged, "reconcile_users")

        assert (outcome.output, outcome.exit_code) == ("one finding", 1)

    def test_manage_returns_the_log_of_a_version_without_output(
        self, staged: Stage, packed: Callable[..., Package]
    ) -> None:
        deploy(staged, packed())

        assert "managed check" in stages.manage(staged, "check").output

    def test_undeploy_removes_it_and_says_so_once(
        self, staged: Stage, packed: Callable[..., Package]
    ) -> None:
        deploy(staged, packed())

        stages.undeploy(staged, tell=print)

        assert not functions.exists(staged.function)
        with pytest.raises(StageError, match="is not deployed"):
            stages.undeploy(staged, tell=print)


class TestUndeploy:
    def test_is_refused_while_the_pool_calls_the_function(
        self, staged: Stage, packed: Callable[..., Package], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        deploy(staged, packed())
        pool = clients.cognito().create_user_pool(
            PoolName=staged.name,
            LambdaConfig={
                "PreTokenGeneration": f"arn:aws:lambda:us-east-1:000000000000:function:{staged.function}:live"
            },
        )["UserPool"]["Id"]
        staged.outputs["UserPoolId"] = pool

        with pytest.raises(StageError, match=f"The user pool calls {staged.function} at each sign-in"):
            stages.undeploy(staged, tell=print)
        assert functions.exists(staged.function)

        clients.cognito().update_user_pool(UserPoolId=pool, LambdaConfig={})
        stages.undeploy(staged, tell=print)
        assert not functions.exists(staged.function)


def answering(api: str) -> None:
    """Let a REST API answer by itself."""
    client = clients.apigateway()
    root: Any = {"restApiId": api, "resourceId": client.get_resources(restApiId=api)["items"][0]["id"]}
    client.put_method(**root, httpMethod="GET", authorizationType="NONE")
    client.put_integration(
        **root, httpMethod="GET", type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}
    )
    client.put_method_response(**root, httpMethod="GET", statusCode="200")
    client.put_integration_response(**root, httpMethod="GET", statusCode="200")


class TestGateway:
    @pytest.fixture
    def api(self, staged: Stage, monkeypatch: pytest.MonkeyPatch) -> str:
        rest_api_id: str = clients.apigateway().create_rest_api(name=staged.function)["id"]
        monkeypatch.setattr(rest_api, "api_id", lambda _stage: rest_api_id)
        answering(rest_api_id)
        return rest_api_id

    def deployments(self, api: str) -> int:
        return len(clients.apigateway().get_deployments(restApiId=api)["items"])

    def test_gives_every_own_response_our_body_and_cors(self, staged: Stage, api: str) -> None:
        rest_api.set_gateway_responses(staged)

        answer = clients.apigateway().get_gateway_response(restApiId=api, responseType="THROTTLED")
        body = json.loads(answer["responseTemplates"]["application/json"])
        assert (body["status"], body["code"]) == (429, "too_many_requests")
        assert rest_api.url(staged).endswith(f"amazonaws.com/{staged.name}")

    def test_knows_every_kind_of_response(self) -> None:
        model = clients.apigateway().meta.service_model.shape_for("GatewayResponseType")
        assert rest_api.RESPONSES.keys() == set(model.enum)  # type: ignore[attr-defined]

    def test_deploys_the_responses_only_when_they_differ(self, staged: Stage, api: str) -> None:
        rest_api.set_gateway_responses(staged)
        rest_api.set_gateway_responses(staged)
        assert self.deployments(api) == 1

        clients.apigateway().put_gateway_response(restApiId=api, responseType="THROTTLED", statusCode="400")
        rest_api.set_gateway_responses(staged)
        assert self.deployments(api) == 2

    def test_turns_away_what_is_too_much(self, staged: Stage, furnished_personas: Emulator, api: str) -> None:
        rest_api.set_gateway_responses(staged)
        rest_api.set_rate_limits(staged)

        url = f"{furnished_personas.url}/{staged.name}/"
        host = {"Host": f"{api}.execute-api.localhost"}
        first, refused = (requests.get(url, headers=host, timeout=LIMIT_SECONDS) for _ in range(2))
        assert (first.status_code, refused.status_code) == (200, 429)
        problem = refused.json()
        assert (problem["status"], problem["code"]) == (429, "too_many_requests")
        assert problem["title"] == "Too Many Requests"
        assert refused.headers["Access-Control-Allow-Origin"] == "*"

    def test_has_no_address_before_it_is_made(self, staged: Stage) -> None:
        assert rest_api.url(staged) == ""
        staged.settings["apigateway_enabled"] = False
        assert rest_api.url(staged) == ""


class TestRender:
    def test_names_what_the_stack_lacks(self, furnished_emulator: Emulator) -> None:
        with pytest.raises(StageError, match=r"lacks DatabaseUrl.*infrastructure/moped-api\.yaml"):
            rendering.render("staging", changes={"moped": {"stack": laptop_stack.NAME}})

    def test_names_the_stack_that_is_missing(self, furnished_emulator: Emulator) -> None:
        with pytest.raises(StageError, match="There is no stack moped-production"):
            rendering.render("production")

    def test_completes_a_stage_by_what_its_stack_made(
        self, furnished_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        outputs = laptop_stack.outputs() | {
            "DatabaseUrl": "postgresql:///x",
            "DatabaseSecret": "arn:of-the-database's-secret",
            "SubnetIds": "a,b",
            "SecurityGroupIds": "c",
        }
        monkeypatch.setattr(stack, "outputs", lambda *_arguments: outputs)

        stage = rendering.render("staging", commit="abc")

        settings = json.loads(stage.path.read_text())["staging"]
        assert settings["role_arn"] == outputs["FunctionRoleArn"]
        assert settings["vpc_config"] == {"SubnetIds": ["a", "b"], "SecurityGroupIds": ["c"]}
        variables = settings["aws_environment_variables"]
        assert variables["COGNITO_USERPOOL_ID"] == outputs["UserPoolId"]
        assert variables["MOPED_API_DATABASE_SECRET"] == outputs["DatabaseSecret"]
        assert settings["tags"] == {"project": "moped-api", "stage": "staging", "commit": "abc"}

    def test_keeps_what_another_command_rendered_for_the_stage(
        self, furnished_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        outputs = laptop_stack.outputs() | {"DatabaseUrl": "postgresql:///x"}
        monkeypatch.setattr(stack, "outputs", lambda *_arguments: outputs)

        first, another = (rendering.render("staging", commit=commit) for commit in ("abc", "def"))

        assert json.loads(first.path.read_text())["staging"]["tags"]["commit"] == "abc"
        assert json.loads(another.path.read_text())["staging"]["tags"]["commit"] == "def"

    def test_refuses_a_stage_that_is_in_a_trap(self, monkeypatch: pytest.MonkeyPatch) -> None:
        document = zappa_settings.merged(zappa_settings.read(), {"base": {"debug": True}})
        monkeypatch.setattr(zappa_settings, "read", lambda: document)

        with pytest.raises(StageError, match="debug is on"):
            rendering.render("staging")

    def test_refuses_an_empty_secret(self, furnished_emulator: Emulator) -> None:
        with pytest.raises(StageError, match="missing or empty"):
            stack.require_secret_value("nowhere")


class TestCommand:
    @pytest.fixture(autouse=True)
    def rendered(self, staged: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rendering, "render", lambda *_args, **_options: staged)

    def run(self, *words: str) -> str:
        out = io.StringIO()
        call_command("stage", *words, stdout=out)
        return out.getvalue()

    def test_goes_through_the_life_of_a_stage(self, staged: Stage, packed: Callable[..., Package]) -> None:
        package = str(packed().path)

        assert "live: version" in self.run("deploy", staged.name, "--package", package)
        assert "live version" in self.run("status", staged.name)
        assert "managed check" in self.run("manage", staged.name, "check")
        assert "live: version" in self.run("update", staged.name, "--package", str(packed().path))
        assert "live: version" in self.run("rollback", staged.name)
        assert "is gone" in self.run("undeploy", staged.name, "--yes")

    def test_prints_findings_and_fails_with_the_commands_exit_code(
        self, staged: Stage, packed: Callable[..., Package]
    ) -> None:
        finding = '{"exit_code": 1, "output": event["manage"]}'
        package = packed(manage=f'if "migrate" not in event["manage"]: return {finding}')
        self.run("deploy", staged.name, "--package", str(package.path))
        out = io.StringIO()

        with pytest.raises(CommandError, match="ended with exit code 1"):
            call_command("stage", "manage", staged.name, "reconcile_users --json", stdout=out)
        assert out.getvalue() == "reconcile_users --json\n"

    def test_asks_before_it_removes(self, staged: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("builtins.input", lambda _question: "no")

        with pytest.raises(Exception, match="Nothing was removed"):
            self.run("undeploy", staged.name)

    def test_verifies_what_is_there(self, staged: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        staged.settings["aws_environment_variables"]["MOPED_API_CORS_ORIGINS"] = "https://moped.example"
        fact = facts.Fact("it has an address", "http://api.example", lambda subject: subject.url)
        monkeypatch.setattr(facts, "FACTS", (fact,))

        assert self.run("verify", staged.name, "--url", "http://api.example/") == "holds: it has an address\n"
        with pytest.raises(StageError, match="is not deployed"):
            self.run("verify", staged.name)

    @pytest.mark.parametrize(
        ("name", "value"),
        [("runtime", "python3.11"), ("architecture", "riscv")],
        ids=["runtime", "processor"],
    )
    def test_packs_nothing_for_what_lambda_does_not_have(self, name: str, value: str, staged: Stage) -> None:
        staged.settings[name] = value

        with pytest.raises(StageError, match=f"\"{name}\" in zappa_settings.json is '{value}': "):
            self.run("deploy", staged.name)

    def test_takes_no_package_for_another_processor(self, staged: Stage, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "mac.zip", "w") as zipped:
            zipped.writestr("orjson/orjson.cpython-313-darwin.so", b"\xcf\xfa\xed\xfe")

        with pytest.raises(StageError, match=r"cannot load orjson/.* it is not an ELF file"):
            self.run("deploy", staged.name, "--package", str(tmp_path / "mac.zip"))

    def test_wants_to_know_what_to_run(self, staged: Stage) -> None:
        with pytest.raises(CommandError, match="required: command"):
            self.run("manage", staged.name)

    def test_describes_each_action(self) -> None:
        parser = Command().create_parser("manage.py", "stage")
        (actions,) = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]

        names = {each.dest.split()[0] for each in actions._choices_actions if each.help}
        assert names == set(actions.choices) - {"update"}
        assert all(choice.description for choice in actions.choices.values())

    def test_hands_the_log_over(self, staged: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(zappa, "tail", lambda _stage, since: f"since {since}")

        assert "since 1h" in self.run("logs", staged.name)

    def test_says_in_a_sentence_that_aws_is_away(
        self, staged: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        clients.forget_clients()

        with pytest.raises(StageError, match="AWS could not be asked"):
            self.run("status", staged.name)


class TestZappa:
    @pytest.mark.parametrize("command", ["deploy", "update"])
    def test_is_given_the_rendered_settings(
        self, command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        ran: list[Any] = []

        def run(program: list[Any], **_options: Any) -> str:
            ran.extend(map(str, program))
            return "log"

        monkeypatch.setattr(subprocesses, "run", run)
        stage = Stage("staging", "moped-api-staging", {}, {}, tmp_path / "staging.json")

        getattr(zappa, command)(stage, tmp_path / "p.zip")
        zappa.undeploy(stage)

        assert zappa.tail(stage, "1h") == "log"
        assert [
            command,
            "staging",
            "-s",
            str(tmp_path / "staging.json"),
            "-z",
            str(tmp_path / "p.zip"),
        ] == ran[3:9]

    @pytest.mark.parametrize(
        ("output", "message"),
        [
            ("first\n\nnot allowed:\n  s3:PutObject\n\n======\n", "not allowed:\n  s3:PutObject"),
            ("======\nTraceback\nx.ClientError: no bucket\n======\nNeed help?\n", "no bucket"),
            ("ValueError: one\nbuild.BuildError: two lines,\nand the second\n", "two lines,\nand the second"),
            ("", "no message"),
        ],
        ids=["paragraph", "zappa", "lines", "nothing"],
    )
    def test_that_fails_is_quoted_with_its_last_message(self, output: str, message: str) -> None:
        with pytest.raises(StageError) as failure:
            subprocesses.run(["sh", "-c", 'printf %s "$1"; exit 1', "sh", output], doing="try")

        assert str(failure.value) == f"Could not try: {message}"
