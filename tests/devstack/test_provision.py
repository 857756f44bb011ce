import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings

from apps.claims import items as claims_items
from apps.claims.hasura import NO_LOGIN
from apps.core.aws import clients
from apps.devstack import accounts, pre_token_function, provision, sample_data
from apps.devstack.emulator import Emulator
from apps.devstack.personas import BY_KEY, PASSWORD, PERSONAS
from apps.files.models import Project, ProjectFile
from apps.users.models import MopedUser

pytestmark = pytest.mark.emulator


def _secret() -> str:
    answer = clients.secrets_manager().get_secret_value(SecretId=settings.CONFIGURATION_SECRET)
    return answer["SecretString"]


def stack_events() -> Any:
    return clients.cloudformation().describe_stack_events(StackName=provision.STACK)["StackEvents"]


def trigger_variables() -> dict[str, str]:
    answer = clients.lambda_client().get_function_configuration(FunctionName=pre_token_function.NAME)
    return answer["Environment"]["Variables"]


class TestCreateResources:
    def test_changes_nothing_the_second_time(
        self, provisioned_emulator: Emulator, provisioned_variables: Mapping[str, str]
    ) -> None:
        events = stack_events()
        secret = _secret()
        assert provision.create_resources(8000, provisioned_emulator.url) == provisioned_variables
        assert stack_events() == events
        assert _secret() == secret

    def test_follows_the_api_to_another_port(self, provisioned_emulator: Emulator) -> None:
        provision.create_resources(8765, provisioned_emulator.url)
        client = clients.cognito().describe_user_pool_client(
            UserPoolId=settings.COGNITO_USER_POOL_ID, ClientId=settings.COGNITO_CLIENT_IDS[0]
        )["UserPoolClient"]
        assert client["CallbackURLs"] == [
            "http://127.0.0.1:8765/auth/callback",
            "http://localhost:8765/auth/callback",
            "https://localhost:3000/moped/session/signin",
        ]
        provision.create_resources(8000, provisioned_emulator.url)

    def test_puts_a_key_into_the_secret(self, provisioned_emulator: Emulator) -> None:
        assert len(json.loads(_secret())["COGNITO_DYNAMO_SECRET_KEY"]) == 44

    def test_holds_passwords_to_what_the_api_promises(self, provisioned_emulator: Emulator) -> None:
        pool = clients.cognito().describe_user_pool(UserPoolId=settings.COGNITO_USER_POOL_ID)["UserPool"]
        policy = pool["Policies"]["PasswordPolicy"]
        assert policy["MinimumLength"] == 12
        assert all(policy[f"Require{kind}"] for kind in ("Uppercase", "Lowercase", "Numbers", "Symbols"))  # type: ignore[literal-required]


class TestSync:
    def test_brings_an_edit_and_the_variables(
        self, provisioned_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as edit:
            edit.setattr(pre_token_function, "STUB", "def handler(*_): return 'edited'")
            edit.setattr(pre_token_function, "VARIABLES", {"A": "1"})
            pre_token_function.sync(provision.stack_outputs())
            assert pre_token_function.warm() == '"edited"'
            assert trigger_variables()["A"] == "1"

        pre_token_function.sync(provision.stack_outputs())
        assert "A" not in trigger_variables()


class TestWarm:
    def test_has_the_function_read_the_claims_table(self, provisioned_emulator: Emulator) -> None:
        assert json.loads(pre_token_function.warm())["errorType"] == "SignInDeniedError"


class TestEnsureAccounts:
    def test_leaves_what_is_there(self, provisioned_personas: Emulator) -> None:
        before = clients.dynamodb().scan(TableName=settings.CLAIMS_TABLE)["Items"]
        accounts.ensure(PERSONAS, with_rows=False)
        assert clients.dynamodb().scan(TableName=settings.CLAIMS_TABLE)["Items"] == before

    def test_finishes_what_was_cut_short(self, provisioned_personas: Emulator) -> None:
        pool, email = settings.COGNITO_USER_POOL_ID, BY_KEY["viewer"].email
        clients.cognito().admin_set_user_password(
            UserPoolId=pool, Username=email, Password=PASSWORD, Permanent=False
        )
        accounts.ensure(PERSONAS, with_rows=False)
        assert clients.cognito().admin_get_user(UserPoolId=pool, Username=email)["UserStatus"] == "CONFIRMED"


@pytest.mark.django_db
class TestEnsure:
    def test_gives_each_a_row_and_the_claims_it_stands_for(self, provisioned_personas: Emulator) -> None:
        accounts.ensure(PERSONAS)
        rows = {row.email: row for row in MopedUser.objects.all()}
        first = rows[BY_KEY["admin"].email].user_id - BY_KEY["admin"].database_id
        for persona in PERSONAS:
            row = rows.get(persona.email)
            assert (row.claims if row else None) == claims_items.claims_of(persona.email)
            assert (row.user_id - first if row else 0) == persona.database_id
            assert bool(row) is persona.has_claims


@pytest.mark.django_db
class TestLostAddresses:
    def test_names_rows_without_an_account(self, provisioned_personas: Emulator) -> None:
        accounts.ensure(PERSONAS)
        assert accounts.lost_addresses() == []
        MopedUser.objects.filter(email=BY_KEY["viewer"].email).update(cognito_user_id=uuid4())
        MopedUser.objects.filter(email=BY_KEY["admin"].email).update(cognito_user_id=None)
        assert accounts.lost_addresses() == [BY_KEY["viewer"].email]


@pytest.mark.django_db
class TestEnsureSampleData:
    def test_makes_projects_with_files_and_people_once(self, provisioned_personas: Emulator) -> None:
        accounts.ensure(PERSONAS)
        sample_data.ensure()
        sample_data.ensure()
        assert list(Project.objects.values_list("project_name", flat=True)) == list(sample_data.PROJECTS)
        for file in ProjectFile.objects.all():
            found = clients.s3().get_object(Bucket=settings.UPLOADS_BUCKET, Key=str(file.file_key))
            assert found["ContentLength"] == file.file_size
        people = MopedUser.objects.filter(roles=[NO_LOGIN])
        assert len({person.workgroup_id for person in people} - {None}) == len(sample_data.PEOPLE)
