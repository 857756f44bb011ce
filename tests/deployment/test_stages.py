"""The life of a stage at the embedded AWS; Zappa's part is played by the calls that it comes down to."""

import io
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import requests
from django.core.management import CommandError, call_command
from jose import jwt

from apps.claims.hasura import CLAIMS_NAMESPACE
from apps.core.aws import clients
from apps.deployment import smoke, stages, subprocesses
from apps.deployment.aws import functions, rest_api, stack
from apps.deployment.errors import StageError
from apps.deployment.package import builder
from apps.deployment.package.builder import Package
from apps.deployment.package.interpreter import target_of_file
from apps.deployment.settings import rendering, zappa_settings
from apps.deployment.settings.rendering import Stage
from apps.devstack import accounts, personas, provision
from apps.devstack.emulator import Emulator
from apps.users.management.commands import reconcile_users
from tests.deployment import test_facts as facts
from tests.deployment.emulated_account import write_package
from tests.support import strict_mode
from tests.support.emulator_fixtures import clients_call, provisioned
from tests.support.waiting import LIMIT_SECONDS

pytestmark = [pytest.mark.slow(cost=30), pytest.mark.emulator]

RUN_ZAPPA = stages.run_zappa
VIEWER = personas.BY_KEY["viewer"]
# The database that it migrates has the City's tables already.
MIGRATE = 'return {"exit_code": int("--fake-initial" not in event["manage"]), "output": "relation exists"}'
FUNCTION = """
answers, with_token = {answers!r}, {with_token}

def lambda_handler(event, context):
    if "migrate" in event.get("manage", ""):
        {migrate}
    if "reconcile_users" in event.get("manage", ""):
        return {{"exit_code": 1, "output": f"{{event['manage']}}: a finding of {{context.function_name}}"}}
    if "manage" in event:
        return {{"exit_code": 0, "output": f"managed {{event['manage']}}"}}
    if "triggerSource" in event:
        {trigger}
        return event
    token = "Authorization" in event["headers"]
    status = with_token if token else answers[event["path"]]
    return {{"statusCode": status, "body": '{{"detail": "as the test wants it"}}'}}
"""
OLD_VARIABLE = "MOPED_API_OLD"


def trigger(claims: str) -> str:
    """Return the source of a pre-token trigger that adds claims."""
    response = {"claimsOverrideDetails": {"claimsToAddOrOverride": {CLAIMS_NAMESPACE: claims}}}
    return f"event['response'] = {response!r}"


def package(folder: Path, **behaviour: Any) -> Package:
    """Return a new package whose function answers correctly, except for what is given."""
    claims = jwt.get_unverified_claims(smoke.smoke_token(provision.stack_outputs()))[CLAIMS_NAMESPACE]
    usual = {
        "answers": {"/": 200, "/auth/current_user": 401},
        "with_token": 200,
        "migrate": MIGRATE,
        "trigger": trigger(claims),
    }
    source = f"# {uuid.uuid4()}\n{FUNCTION.format(**usual | behaviour)}"
    return builder.describe(Path(write_package(folder / f"{uuid.uuid4()}.zip", source)), target_of_file())


def run_zappa(stage: Stage, command: str, *_options: str) -> str:
    """Make the calls that Zappa makes."""
    client = clients.lambda_client()
    if command == "update":
        variables = functions.wait_until_ready(stage.function)["Environment"]["Variables"]
        client.update_function_configuration(
            FunctionName=stage.function,
            Environment={"Variables": variables | stage.settings["aws_environment_variables"]},
        )
    elif command == "undeploy":
        client.delete_function(FunctionName=stage.function)
    return f"zappa {command}"


def new_stage() -> Stage:
    """Return a stage with its own name, on the resources of the laptop's stack."""
    name = f"t{uuid.uuid4().hex[:8]}"
    outputs = provision.stack_outputs() | {
        "DatabaseUrl": "postgresql:///none",
        "ReconciliationFunction": f"moped-reconcile-{name}",
    }
    changes = {
        "lambda_concurrency": 1,
        "role_arn": outputs["FunctionRoleArn"],
        "tags": {"stage": name},
        # However slow the machine, the second request is one too many.
        "moped": {"stack": provision.STACK, "requests_per_second": 0.001, "requests_at_once": 1},
    }
    settings = zappa_settings.merge(zappa_settings.flatten(zappa_settings.read(), "staging"), changes)
    return Stage(name, f"moped-api-{name}", settings, outputs)


@pytest.fixture(scope="module", autouse=True)
def _account(emulator: Emulator, provisioned_variables: Mapping[str, str]) -> Iterator[None]:
    """An account of the pool that tests versions, which `run_zappa` deploys."""
    with provisioned(emulator.url, provisioned_variables), pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages, "run_zappa", run_zappa)
        accounts.ensure([VIEWER], with_rows=False)
        fill(provision.stack_outputs()["SmokeSecret"], {"email": VIEWER.email, "password": personas.PASSWORD})
        yield


@pytest.fixture
def stage() -> Stage:
    """A stage that is not deployed."""
    return new_stage()


class Deployment:
    """A stage with its deployed versions, the newest last, and what each deployment said."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage, self.folder = stage, folder
        self.versions: list[str] = []
        self.packages: list[Package] = []
        self.messages: list[str] = []

    def deploy(self, **behaviour: Any) -> None:
        """Deploy another version."""
        self.packages.append(package(self.folder, **behaviour))
        self.messages.clear()
        self.versions.append(
            stages.deploy(self.stage, self.packages[-1], token="", commit="abc123", tell=self.messages.append)
        )

    @property
    def live(self) -> tuple[str, str]:
        """The live version and the one before."""
        alias = functions.live_alias(self.stage.function)
        assert alias
        return alias.version, alias.previous

    @property
    def reconciliation(self) -> Any:
        """The live configuration of the function that compares the staff accounts."""
        return clients.lambda_client().get_function_configuration(
            FunctionName=self.stage.outputs["ReconciliationFunction"], Qualifier=functions.LIVE
        )


@pytest.fixture(scope="module")
def once(_account: None, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """A stage with one live version. Tests leave that version live."""
    deployment = Deployment(new_stage(), tmp_path_factory.mktemp("once"))
    deployment.deploy()
    return deployment


@pytest.fixture(scope="module")
def twice(_account: None, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """A stage with two versions, the second for other settings. Tests leave the second live."""
    deployment = Deployment(new_stage(), tmp_path_factory.mktemp("twice"))
    settings = deployment.stage.settings
    settings["aws_environment_variables"][OLD_VARIABLE] = "1"
    deployment.deploy()
    del settings["aws_environment_variables"][OLD_VARIABLE]
    settings["architecture"] = "arm64"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(functions, "KEPT_VERSIONS", 1)
        deployment.deploy()
    return deployment


def fill(secret: str, content: dict[str, str]) -> None:
    clients.secrets_manager().put_secret_value(SecretId=secret, SecretString=json.dumps(content))


class TestDeploy:
    def test_makes_the_first_version_live_after_trying_it(self, once: Deployment) -> None:
        assert once.live == (once.versions[0], "")
        assert "  GET /auth/current_user with a token: 200" in once.messages
        assert "  pre-token trigger: the claims of the token" in once.messages
        assert "migrated" in once.messages

    def test_waits_until_lambda_knows_a_new_role(
        self, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, emulator: Emulator
    ) -> None:
        def run(stage: Stage, command: str, *options: str) -> str:
            output = run_zappa(stage, command, *options)
            strict_mode.refuse_roles(emulator.url, 1)  # and the role of the second function
            return output

        monkeypatch.setattr(stages, "run_zappa", run)
        monkeypatch.setattr(functions, "ROLE_PAUSE_SECONDS", 0)
        strict_mode.refuse_roles(emulator.url, 1)
        deployment = Deployment(stage, tmp_path)

        deployment.deploy()

        assert deployment.live == (deployment.versions[0], "")
        assert deployment.reconciliation["Version"] == "1"

    def test_moves_traffic_to_the_next_and_keeps_the_one_before(self, twice: Deployment) -> None:
        first, second = twice.versions

        assert twice.live == (second, first)
        assert [*functions.versions(twice.stage.function)] == twice.versions

    def test_changes_what_zappa_keeps(self, twice: Deployment) -> None:
        second = clients.lambda_client().get_function_configuration(
            FunctionName=twice.stage.function, Qualifier=twice.versions[-1]
        )

        assert second["Architectures"] == ["arm64"]
        assert OLD_VARIABLE not in second["Environment"]["Variables"]

    @pytest.mark.parametrize(
        ("broken", "reason"),
        [
            ({"answers": {"/": 500}}, "GET / without one with 500 instead of 200: as the"),
            ({"with_token": 401}, "with a token with 401 instead of 200"),
            ({"migrate": "raise RuntimeError('no such\\ntable')"}, "`migrate .*` failed .*: no such table"),
            (
                {"migrate": 'return {"exit_code": 1, "output": "no table"}'},
                "`migrate .*` failed .*: no table",
            ),
            ({"trigger": "import no_such_module"}, "fails as pre-token trigger: No module named"),
            ({"trigger": trigger("{}")}, "gives other claims"),
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
    def test_that_fails_leaves_both_functions_as_they_were(
        self, broken: dict[str, Any], reason: str, once: Deployment, tmp_path: Path
    ) -> None:
        with pytest.raises(StageError, match=reason):
            stages.deploy(once.stage, package(tmp_path, **broken), token="", commit="abc123", tell=print)

        assert once.live == (once.versions[0], "")
        assert once.reconciliation["CodeSha256"] == functions.checksum_of(once.packages[0].digest)

    def test_makes_the_stack_that_zappa_updates(self, once: Deployment) -> None:
        stacks = clients.cloudformation().describe_stacks(StackName=once.stage.function)["Stacks"]

        assert stacks[0]["StackStatus"] == "CREATE_COMPLETE"

    @pytest.mark.parametrize("before", [None, functions.Alias("1", "", "an old revision")])
    def test_that_lost_a_race_is_refused(self, before: functions.Alias | None, once: Deployment) -> None:
        with pytest.raises(StageError, match="Another process moved the traffic"):
            functions.make_live(once.stage.function, once.versions[0], before)

    def test_of_a_package_that_was_replaced_is_refused(self, once: Deployment) -> None:
        with pytest.raises(StageError, match="Another process is deploying"):
            functions.publish(once.stage.function, "00" * 32, "of another process")


class TestFacts:
    def test_show_no_address_of_a_person_when_they_fail(self) -> None:
        person = {"Username": "azuread_jane.doe@x.example", "email": "jane.doe@y.example"}
        target = Mock(**{"accounts.return_value": [{**person, "UserStatus": facts.FEDERATED[0]}]})
        target.pool.return_value = person

        with pytest.raises(AssertionError) as failure:
            facts.TestAWS().test_finds_a_single_sign_on_account_by_its_name_only(target)

        assert "jane.doe" not in str(failure.value)


class TestSmokeToken:
    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            ({"email": "unknown@austintexas.gov", "password": "wrong"}, "cannot sign in"),
            ({}, "holds no email and password"),
        ],
    )
    def test_says_what_is_wrong_with_the_account(
        self, content: dict[str, str], reason: str, stage: Stage
    ) -> None:
        secret = f"{stage.name}/smoke"
        clients.secrets_manager().create_secret(Name=secret, SecretString=json.dumps(content))

        with pytest.raises(StageError, match=reason):
            smoke.smoke_token(stage.outputs | {"SmokeSecret": secret})


class TestRollback:
    def test_moves_both_functions_back_and_forth(self, twice: Deployment) -> None:
        first, second = twice.versions

        assert stages.rollback(twice.stage, "", tell=print) == first
        assert twice.reconciliation["CodeSha256"] == functions.checksum_of(twice.packages[0].digest)
        assert stages.rollback(twice.stage, second, tell=print) == second
        assert twice.reconciliation["CodeSha256"] == functions.checksum_of(twice.packages[1].digest)

    def test_says_what_there_is_to_go_back_to(self, once: Deployment, stage: Stage) -> None:
        with pytest.raises(StageError, match="never made live"):
            stages.rollback(stage, "", tell=print)
        with pytest.raises(StageError, match="has had one version only"):
            stages.rollback(once.stage, "", tell=print)
        with pytest.raises(StageError, match="has no version 99"):
            stages.rollback(once.stage, "99", tell=print)


class TestReconciliation:
    """The function beside it that compares the staff accounts."""

    def test_has_the_package_under_its_own_role_and_time_limit(self, once: Deployment) -> None:
        outputs, configuration = once.stage.outputs, once.reconciliation

        assert configuration["CodeSha256"] == functions.checksum_of(once.packages[0].digest)
        assert configuration["Role"] == outputs["ReconciliationRoleArn"] != outputs["FunctionRoleArn"]
        assert configuration["Environment"]["Variables"] == once.stage.settings["aws_environment_variables"]
        assert configuration["Timeout"] - reconcile_users.MAX_SECONDS >= 60

    def test_stays_as_it_is_where_it_has_no_such_package(self, once: Deployment, tmp_path: Path) -> None:
        other = package(tmp_path)
        functions.create_or_update(once.stage, other)
        version = functions.publish(once.stage.function, other.digest, "of an older project")
        before = once.reconciliation["CodeSha256"]
        messages: list[str] = []

        stages.move_reconciliation(once.stage, version, messages.append)

        assert once.reconciliation["CodeSha256"] == before
        assert "stays as it is" in messages[-1]


class TestUndeploy:
    def test_is_refused_while_the_pool_calls_the_function(self, once: Deployment) -> None:
        arn = f"arn:aws:lambda:us-east-1:000000000000:function:{once.stage.function}:live"
        pool = clients.cognito().create_user_pool(
            PoolName=once.stage.name, LambdaConfig={"PreTokenGeneration": arn}
        )["UserPool"]["Id"]
        stage = replace(once.stage, outputs={**once.stage.outputs, "UserPoolId": pool})

        with pytest.raises(StageError, match=f"The user pool calls {stage.function} at each sign-in"):
            stages.undeploy(stage, tell=print)

        assert functions.exists(stage.function)


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
    def api(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> str:
        rest_api_id: str = clients.apigateway().create_rest_api(name=stage.function)["id"]
        monkeypatch.setattr(rest_api, "api_id", lambda _stage: rest_api_id)
        answering(rest_api_id)
        return rest_api_id

    def deployments(self, api: str) -> int:
        return len(clients.apigateway().get_deployments(restApiId=api)["items"])

    def test_knows_every_kind_of_response(self) -> None:
        model = clients.apigateway().meta.service_model.shape_for("GatewayResponseType")
        assert rest_api.RESPONSES.keys() == set(model.enum)  # type: ignore[attr-defined]

    def test_deploys_the_responses_only_when_they_differ(self, stage: Stage, api: str) -> None:
        rest_api.configure(stage)
        rest_api.configure(stage)
        assert self.deployments(api) == 1

        clients.apigateway().put_gateway_response(restApiId=api, responseType="THROTTLED", statusCode="400")
        rest_api.configure(stage)
        assert self.deployments(api) == 2

    def test_turns_away_what_is_too_much(self, stage: Stage, emulator: Emulator, api: str) -> None:
        rest_api.configure(stage)

        url = f"{emulator.url}/{stage.name}/"
        host = {"Host": f"{api}.execute-api.localhost"}
        first, second = (requests.get(url, headers=host, timeout=LIMIT_SECONDS) for _ in range(2))
        assert (first.status_code, second.status_code) == (200, 429)
        problem = second.json()
        assert (problem["status"], problem["code"]) == (429, "too_many_requests")
        assert problem["title"] == "Too Many Requests"
        assert second.headers["Access-Control-Allow-Origin"] == "*"
        assert rest_api.url(stage).endswith(f"amazonaws.com/{stage.name}")


class TestRender:
    @pytest.mark.parametrize(
        ("name", "changes", "reason"),
        [
            (
                "staging",
                {"moped": {"stack": provision.STACK}},
                r"lacks DatabaseUrl: update it.*moped-api\.yaml",
            ),
            ("production", {}, "There is no stack moped-production"),
        ],
        ids=["an output", "the stack"],
    )
    def test_names_what_is_missing(self, name: str, changes: dict[str, Any], reason: str) -> None:
        with pytest.raises(StageError, match=reason):
            rendering.render(name, changes=changes)

    def test_completes_a_stage_by_its_stack_and_zappas_processor(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        outputs = provision.stack_outputs() | {
            "DatabaseUrl": "postgresql:///x",
            "DatabaseSecret": "arn:of-the-database's-secret",
            "SubnetIds": "a,b",
            "SecurityGroupIds": "c",
        }
        monkeypatch.setattr(stack, "outputs", lambda *_arguments: outputs)

        document = zappa_settings.read()
        del document[zappa_settings.BASE]["architecture"]

        settings = rendering.render("staging", document=document, commit="abc").settings

        assert settings["architecture"] == "x86_64"
        assert settings["role_arn"] == outputs["FunctionRoleArn"]
        assert settings["vpc_config"] == {"SubnetIds": ["a", "b"], "SecurityGroupIds": ["c"]}
        variables = settings["aws_environment_variables"]
        assert variables["COGNITO_USERPOOL_ID"] == outputs["UserPoolId"]
        assert variables["MOPED_API_DATABASE_SECRET"] == outputs["DatabaseSecret"]
        assert settings["tags"] == {"project": "moped-api", "stage": "staging", "commit": "abc"}

    def test_refuses_a_stage_that_breaks_a_rule(self, monkeypatch: pytest.MonkeyPatch) -> None:
        document = zappa_settings.merge(zappa_settings.read(), {"base": {"debug": True}})
        monkeypatch.setattr(zappa_settings, "read", lambda: document)

        with pytest.raises(StageError, match=r'debug is on .* Write: "debug": false\.$'):
            rendering.render("staging")

    def test_refuses_an_empty_secret(self) -> None:
        with pytest.raises(StageError, match="missing or empty"):
            stack.require_secret_value("nowhere")


class TestCommand:
    @pytest.fixture(autouse=True)
    def rendered(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rendering, "render", lambda *_args, **_options: stage)

    def run(self, *words: str) -> str:
        out = io.StringIO()
        call_command("stage", *words, stdout=out)
        return out.getvalue()

    def test_goes_through_the_life_of_a_stage(self, once: Deployment, stage: Stage, tmp_path: Path) -> None:
        assert "not deployed" in self.run("status", stage.name)
        assert "live: version" in self.run("deploy", stage.name, "--package", str(package(tmp_path).path))
        assert "live: version" in self.run("deploy", stage.name, "--package", str(package(tmp_path).path))
        alias = functions.live_alias(stage.function)
        assert alias
        assert f"live version  {alias.version}\n" in self.run("status", stage.name)
        assert "managed check" in self.run("manage", stage.name, "check")
        assert f"live: version {alias.previous}" in self.run("rollback", stage.name)
        assert "is gone" in self.run("undeploy", stage.name, "--yes")
        assert not functions.exists(stage.function)
        assert not functions.exists(stage.outputs["ReconciliationFunction"])
        functions.delete(stage.function)  # boto3 repeats a call whose answer was lost
        with pytest.raises(StageError, match="is not deployed"):
            self.run("undeploy", stage.name, "--yes")

    def test_compares_accounts_in_a_function_of_their_own(
        self, once: Deployment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rendering, "render", lambda *_args, **_options: once.stage)
        out, function = io.StringIO(), once.stage.outputs["ReconciliationFunction"]

        with pytest.raises(CommandError, match="ended with exit code 1"):
            call_command("stage", "manage", once.stage.name, "reconcile_users --json", stdout=out)

        assert out.getvalue() == f"reconcile_users --json: a finding of {function}\n"

    def test_asks_before_it_removes(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("builtins.input", lambda _question: "no")

        with pytest.raises(Exception, match="Nothing was removed"):
            self.run("undeploy", stage.name)

    def test_verifies_what_is_there(self, stage: Stage, capfd: pytest.CaptureFixture[str]) -> None:
        del stage.settings["domain"]

        with pytest.raises(StageError, match="is not as the tests assume"):
            self.run("verify", stage.name, "--url", "http://127.0.0.1:9/")  # where nothing answers
        output = capfd.readouterr().out
        assert "test_has_no_item_of_an_unknown_address PASSED" in output
        assert "FAILED tests/deployment/test_facts.py::TestAPI::test_is_ready - " in output
        with pytest.raises(StageError, match="is not deployed"):
            self.run("verify", stage.name)

    def test_says_in_a_sentence_that_aws_is_away(self, stage: Stage) -> None:
        with clients_call("http://127.0.0.1:9"), pytest.raises(StageError, match="AWS has not done this"):
            self.run("status", stage.name)


class TestZappa:
    def test_is_given_the_settings_of_the_stage(self, monkeypatch: pytest.MonkeyPatch) -> None:
        programs: list[list[str]] = []

        def run(program: list[str], **_options: Any) -> str:
            programs.append(program[3:])
            return Path(program[6]).read_text()

        monkeypatch.setattr(subprocesses, "run", run)

        settings = RUN_ZAPPA(Stage("staging", "", {"debug": False}, {}), "update", "-z", "p.zip")

        assert json.loads(settings) == {"staging": {"debug": False}}
        ((command, stage, _, path, *options),) = programs
        assert (command, stage, options) == ("update", "staging", ["-z", "p.zip"])
        assert not Path(path).exists()

    @pytest.mark.parametrize(
        ("output", "message"),
        [
            ("not allowed:\n  s3:PutObject\n\n======\n", "not allowed:\n  s3:PutObject\n\n======"),
            ("======\nTraceback\nx.ClientError: no bucket\n======\nNeed help?\n", "no bucket"),
            ("ValueError: one\nbuild.BuildError: two lines,\nand the second\n", "two lines,\nand the second"),
            ("", "no message"),
        ],
        ids=["no exception", "zappa", "lines", "nothing"],
    )
    def test_that_fails_is_quoted_with_its_last_message(self, output: str, message: str) -> None:
        with pytest.raises(StageError) as failure:
            subprocesses.run(["sh", "-c", 'printf %s "$1"; exit 1', "sh", output], action="try")

        assert str(failure.value) == f"Could not try: {message}"
