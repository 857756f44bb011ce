"""The set-up of a stage in an account. The rehearsal runs all commands of the page."""

import json
import uuid
from collections.abc import Callable, Iterator
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

pytestmark = [pytest.mark.slow(cost=5), pytest.mark.emulator]

JANE, PASSWORD = "jane.doe@austintexas.gov", "Correct-Horse-42"
SHARED = f"t{uuid.uuid4().hex[:8]}"


@pytest.fixture
def new_name(provisioned_emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a maker of names of stages that zappa_settings.json has."""
    document = zappa_settings.read()
    monkeypatch.setattr(zappa_settings, "read", lambda: document)

    def add(name: str = "") -> str:
        name = name or f"t{uuid.uuid4().hex[:8]}"
        moped, tags = {"stack": f"moped-{name}"}, {"stage": name}
        document[name] = {**document["staging"], "moped": moped, "tags": tags}
        return name

    return add


@pytest.fixture
def name(new_name: Callable[..., str]) -> Iterator[str]:
    """A stage without a stack; it leaves none."""
    name = new_name()
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


@pytest.fixture
def stage(new_name: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A stage whose secrets are filled and whose function has created the admin. Tests share it."""
    name = new_name(SHARED)
    if stack_updates.describe(f"moped-{name}") is None:
        path = write(tmp_path / "parameters.json", Stage=name, DatabaseUrl="postgresql:///none")
        account_setup.deploy_stack(name, path, "", print)
        account_setup.fill_secrets(name, print)
        pool = stack.outputs(f"moped-{name}")["UserPoolId"]
        clients.cognito().admin_create_user(UserPoolId=pool, Username=JANE)

    monkeypatch.setattr(stages, "manage", lambda _stage, command: (int("Unknown" in command), command))
    return Stage(name, f"moped-api-{name}", {}, stack.outputs(f"moped-{name}"))


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
    def stage(self, provisioned_emulator: Emulator) -> Stage:
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
