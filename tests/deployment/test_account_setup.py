"""The set-up of a stage in an account. The rehearsal runs all commands of the page."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.core.aws import clients
from apps.deployment import account_setup, smoke, stages
from apps.deployment.aws import stack, stack_updates
from apps.deployment.errors import StageError
from apps.deployment.settings import zappa_settings
from apps.deployment.settings.rendering import Stage
from apps.devstack.emulator import Emulator
from tests.support.emulator_fixtures import clients_call

pytestmark = [pytest.mark.slow(cost=5), pytest.mark.emulator]

JANE, PASSWORD = "jane.doe@austintexas.gov", "Correct-Horse-42"


@pytest.fixture(scope="module", autouse=True)
def _account(emulator: Emulator) -> Iterator[None]:
    """An account whose functions run every command, and zappa_settings.json, to which tests add stages."""
    document = zappa_settings.read()
    with clients_call(emulator.url), pytest.MonkeyPatch.context() as patch:
        patch.setattr(zappa_settings, "read", lambda: document)
        patch.setattr(stages, "manage", lambda _stage, command: (int("Unknown" in command), command))
        yield


def add_stage() -> str:
    """Return the name of a new stage."""
    document, name = zappa_settings.read(), f"t{uuid.uuid4().hex[:8]}"
    document[name] = {**document["staging"], "moped": {"stack": f"moped-{name}"}, "tags": {"stage": name}}
    return name


@pytest.fixture
def name() -> Iterator[str]:
    """A stage without a stack; it leaves none."""
    name = add_stage()
    yield name
    stack_updates.delete(f"moped-{name}")


@pytest.fixture
def lines() -> list[str]:
    """What a step said."""
    return []


def write(path: Path, **parameters: str) -> Path:
    path.write_text(json.dumps(parameters))
    return path


class TestDeployStack:
    @pytest.mark.parametrize(
        ("content", "reason"),
        [('["Stage"]', "Expected `object`, got `array`"), ('{"LogDays": 30}', r"Expected `str`, got `int`")],
    )
    def test_refuses_a_file_that_is_no_object_of_texts(
        self, tmp_path: Path, content: str, reason: str
    ) -> None:
        (tmp_path / "parameters.json").write_text(content)

        with pytest.raises(StageError, match=reason):
            account_setup.deploy_stack("staging", tmp_path / "parameters.json", "", print)

    def test_changes_what_differs(self, name: str, tmp_path: Path, lines: list[str]) -> None:
        first = write(tmp_path / "1.json", Stage=name, LogDays="30", DatabaseUrl="postgresql:///none")
        account_setup.deploy_stack(name, first, "", lines.append)
        account_setup.deploy_stack(name, first, "", lines.append)
        second = write(tmp_path / "2.json", Stage=name, IdTokenMinutes="30")
        account_setup.deploy_stack(name, second, "off", lines.append)

        assert lines == [
            f"moped-{name}: deployed",
            f"moped-{name}: nothing to change",
            f"moped-{name}: deployed",
        ]
        stack: Any = stack_updates.describe(f"moped-{name}")
        assert stack_updates.tags_of(stack) == {"project": "moped-api", "stage": name}  # the budget's
        values = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
        assert (values["LogDays"], values["IdTokenMinutes"], values["TriggerFunctionArn"]) == ("30", "30", "")

    def test_can_create_again_what_could_not_be_created(
        self, name: str, tmp_path: Path, lines: list[str]
    ) -> None:
        write(tmp_path / "1.json", Stage=name)
        pool = clients.cognito().create_user_pool(PoolName=name)["UserPool"]["Id"]
        clients.cognito().create_user_pool_domain(Domain=name, UserPoolId=pool)

        with pytest.raises(StageError, match=r"could not be deployed .*UserPoolDomain"):
            account_setup.deploy_stack(
                name, write(tmp_path / "2.json", Stage=name, DomainPrefix=name), "", lines.append
            )
        account_setup.deploy_stack(name, tmp_path / "1.json", "", lines.append)

        assert lines == [f"moped-{name}: deployed"]
        clients.cognito().delete_user_pool_domain(Domain=name, UserPoolId=pool)

    @pytest.mark.parametrize(
        ("parameters", "trigger", "reason"),
        [
            ({"Stage": "production"}, "", "The parameter Stage must be"),
            ({"NoSuchThing": "x"}, "", "has no parameter NoSuchThing"),
            ({"DatabaseUrl": "postgresql://moped:secret@host/moped"}, "", "without a password"),
            ({}, "on", "has no live version yet"),
        ],
    )
    def test_says_what_is_wrong(
        self,
        name: str,
        tmp_path: Path,
        lines: list[str],
        parameters: dict[str, str],
        trigger: str,
        reason: str,
    ) -> None:
        path = write(tmp_path / "parameters.json", **{"Stage": name, **parameters})

        with pytest.raises(StageError, match=reason):
            account_setup.deploy_stack(name, path, trigger, lines.append)


@pytest.fixture(scope="module")
def stage(_account: None, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """A stage whose secrets are filled and whose function has created the admin."""
    name, path = add_stage(), tmp_path_factory.mktemp("stage") / "parameters.json"
    account_setup.deploy_stack(name, write(path, Stage=name, DatabaseUrl="postgresql:///none"), "", print)
    account_setup.fill_secrets(name, print)
    stage = Stage(name, f"moped-api-{name}", {}, stack.outputs(f"moped-{name}"))
    clients.cognito().admin_create_user(UserPoolId=stage.outputs["UserPoolId"], Username=JANE)
    return stage


class TestFillSecrets:
    def test_fills_what_is_empty_and_leaves_what_is_not(self, stage: Stage, lines: list[str]) -> None:
        configuration, empty = stage.outputs["ConfigurationSecret"], stage.outputs["SmokeSecret"]
        clients.secrets_manager().delete_secret(SecretId=empty, ForceDeleteWithoutRecovery=True)
        clients.secrets_manager().create_secret(Name=empty)
        key = stack.secret_value(configuration)

        account_setup.fill_secrets(stage.name, lines.append)

        assert lines == [f"{configuration}: has a value, left as it is", f"{empty}: filled"]
        assert stack.secret_value(configuration) == key
        assert smoke.smoke_token(stage.outputs)


class TestCreateFirstAdmin:
    def test_sets_the_passwords_that_only_the_pool_shall_know(self, stage: Stage, lines: list[str]) -> None:
        account_setup.create_first_admin(stage, JANE, ["Jane", "Doe"], PASSWORD, lines.append)

        tester = f"moped-api-{stage.name}@austintexas.gov"
        assert lines == [
            f"create_first_admin --smoke {tester} {JANE} Jane Doe",
            f"{JANE} can sign in with the password that you gave",
        ]
        assert smoke.smoke_token(stage.outputs)
        assert PASSWORD not in "".join(lines)

    @pytest.mark.parametrize(
        ("name_of_person", "password", "reason"),
        [("Jane", "weak", "The pool refuses this password"), ("Unknown", PASSWORD, "create_first_admin")],
    )
    def test_says_what_is_wrong(
        self, stage: Stage, lines: list[str], name_of_person: str, password: str, reason: str
    ) -> None:
        with pytest.raises(StageError, match=reason):
            account_setup.create_first_admin(stage, JANE, [name_of_person, "Doe"], password, lines.append)


class TestMapHost:
    @pytest.fixture
    def stage(self) -> Stage:
        settings = {"domain": "api.example", "tags": {}, "moped": {"hosts": ["editor.example"]}}
        return Stage("nowhere", "moped-api-nowhere", settings, {})

    @pytest.mark.parametrize(
        ("host", "reason"),
        [
            ("other.example", "nowhere has no host other.example.*lists api.example, editor.example"),
            ("editor.example", "nowhere has no gateway yet"),
        ],
    )
    def test_says_what_is_wrong(self, stage: Stage, lines: list[str], host: str, reason: str) -> None:
        with pytest.raises(StageError, match=reason):
            account_setup.map_host(stage, host, "arn:aws:acm:…", lines.append)
