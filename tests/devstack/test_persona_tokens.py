from io import StringIO

import pytest
from django.core.management import call_command
from jose import jwt
from pytest_django.fixtures import Settings

from apps.auth.management.commands import explain_token
from apps.claims.hasura import CLAIMS_NAMESPACE
from apps.claims.identity import sso_username
from apps.devstack import persona_tokens
from apps.devstack.emulator import Emulator
from apps.devstack.errors import DevstackError
from apps.devstack.personas import BY_KEY, PERSONAS, Persona

pytestmark = pytest.mark.emulator

SIGNS_IN = [pytest.param(persona, id=persona.key) for persona in PERSONAS if persona.has_claims]


class TestIdToken:
    @pytest.mark.parametrize("persona", SIGNS_IN)
    def test_carries_the_personas_claims(self, provisioned_personas: object, persona: Persona) -> None:
        claims = jwt.get_unverified_claims(persona_tokens.id_token(persona))
        assert (claims["email"], claims["email_verified"]) == (persona.email, persona.email_verified)
        assert str(persona.roles).replace("'", '"').strip("(),") in claims[CLAIMS_NAMESPACE]
        assert (claims["cognito:username"] == sso_username(persona.email)) is persona.is_sso

    def test_is_denied_to_the_outsider(self, provisioned_personas: object) -> None:
        with pytest.raises(DevstackError, match=r"^No token for \S+: You have no Moped account"):
            persona_tokens.id_token(BY_KEY["outsider"])


class TestToken:
    def test_prints_a_token_that_the_api_accepts(self, provisioned_personas: object) -> None:
        out = StringIO()
        call_command("token", "--as", "viewer", stdout=out)
        token = out.getvalue().removesuffix("\n")
        code, report = explain_token.explain(token)
        assert code == explain_token.ACCEPTED
        assert BY_KEY["viewer"].email in report


class TestEditorConfig:
    def test_names_the_api_and_the_pool(self, provisioned_emulator: Emulator, settings: Settings) -> None:
        out = StringIO()
        call_command("editor_config", stdout=out)
        assert "VITE_API_ENDPOINT=http://127.0.0.1:8000\n" in out.getvalue()
        assert f"VITE_AWS_COGNITO_USER_POOL_ID={settings.COGNITO_USER_POOL_ID}\n" in out.getvalue()
        assert f'endpoint: "{provisioned_emulator.url}"' in out.getvalue()
