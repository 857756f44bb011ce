"""The emulator is as the tests assume. `stage verify` checks the same facts of a stage every night."""

import json
import uuid
from contextlib import suppress

import pytest
from django.conf import settings
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from apps.core.aws import clients
from apps.core.errors import MopedError
from apps.deployment.errors import StageError
from apps.deployment.settings.rendering import Stage
from apps.deployment.verification import facts
from apps.deployment.verification.target import Subject
from apps.devstack import accounts, laptop_stack
from apps.devstack.personas import BY_KEY, PASSWORD
from apps.health import probes
from apps.users.adapters import cognito
from tests.deployment.role import Role
from tests.users.conftest import stores
from tests.users.stores import Stores

pytestmark = [pytest.mark.slow(cost=5), pytest.mark.emulator]
__all__ = ["stores"]


@pytest.fixture
def subject(stores: Stores, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Subject:
    """The emulator's pool and table, and the API in front of them."""
    probes.forget()
    accounts.ensure([BY_KEY["viewer"]])
    assert stores.roles_at_sign_in(BY_KEY["viewer"].email, PASSWORD)  # from here on the trigger is awake
    with suppress(MopedError):  # the trigger denies the sign-in, the account is there
        stores.admit_sso(f"early.{uuid.uuid4().hex}@austintexas.gov")
    variables = {
        "COGNITO_JWKS_URL": settings.COGNITO_JWKS_URL,
        "MOPED_API_CORS_ORIGINS": settings.CORS_ALLOWED_ORIGINS[0],
    }
    outputs = _deploy_stack(monkeypatch)
    stage = Stage("test", "moped-api-test", {"aws_environment_variables": variables}, outputs)
    return facts.subject_of(stage, live_server.url)


def _deploy_stack(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Deploy a stack with the pool and the table of the laptop's, and return its outputs."""
    of_laptop, stage = laptop_stack.outputs(), f"v{uuid.uuid4().hex[:8]}"
    monkeypatch.setattr(laptop_stack, "NAME", f"moped-{stage}")
    outputs = laptop_stack.deploy(
        {
            "Stage": stage,
            "ExistingUserPoolId": of_laptop["UserPoolId"],
            "ExistingClientId": of_laptop["ClientId"],
            "ExistingDomainUrl": "https://sign-in.example",
            "ExistingClaimsTable": of_laptop["ClaimsTable"],
            "GitHubRepository": "city/moped",
            "Verification": "true",
        }
    )
    smoke = json.dumps({"email": BY_KEY["viewer"].email, "password": PASSWORD})
    clients.secrets_manager().put_secret_value(SecretId=outputs["SmokeSecret"], SecretString=smoke)
    return outputs


class TestVerify:
    def test_finds_that_all_facts_hold_and_changes_nothing(
        self, subject: Subject, settings: Settings
    ) -> None:
        # The API runs in this process, and so as the same role.
        settings.READINESS_PROBES = {"neighbour": "tests.test_access.well"}
        before = len(list(cognito.iter_accounts()))

        with Role(subject.outputs["VerificationRoleArn"], "verify").worn():
            assert list(facts.verify(subject)) == [f"holds: {fact.name}" for fact in facts.FACTS]

        assert len(list(cognito.iter_accounts())) == before

    def test_names_what_needs_a_single_sign_on_account(
        self, subject: Subject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for account in list(cognito.iter_accounts()):
            if account.is_sso:
                cognito.delete(account.username)
        (fact,) = [each for each in facts.FACTS if "single sign-on" in each.name]
        monkeypatch.setattr(facts, "FACTS", (fact,))

        assert list(facts.verify(subject)) == [f"not checked: {fact.name}; the pool has no such account"]

    def test_names_what_does_not_hold_and_goes_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        examples = (
            facts.Fact("water is dry", "dry", lambda _subject: "wet"),
            facts.Fact("it breaks", 1, lambda subject: subject.outputs["Nothing"]),
            facts.Fact("one is one", 1, lambda _subject: 1),
        )
        monkeypatch.setattr(facts, "FACTS", examples)
        lines: list[str] = []

        with pytest.raises(StageError) as refusal:
            lines.extend(facts.verify(Subject({}, "", "", "")))

        assert str(refusal.value) == (
            "2 of 3 facts do not hold: water is dry: 'wet', not 'dry';"
            " it breaks: \"KeyError('Nothing')\", not 1"
        )
        assert lines == ["holds: one is one"]
