"""The catalogue of attacks, tried at the front door: what an attacker sends and what is answered."""

import pytest
from rest_framework.test import APIClient

from apps.auth.management.commands import explain_token
from apps.auth.tokens.errors import KeysUnavailableError, TokenError
from tests.auth.attacks import (
    ACCEPTED,
    UNAVAILABLE,
    Attack,
    algorithms,
    claims,
    hasura,
    key_sets,
    structure,
)
from tests.auth.signing import compact, id_payload, key
from tests.support.token_factory import Publisher

# The verifier does not read these members. Only `/auth/current_user` shows them.
ONLY_SHOWING_FAILS = {
    "payload-with-number-beyond-floats",
    "payload-with-nested-by-objects",
    "payload-with-nested-below-any-crash",
}
CATALOGUE = (*algorithms.ATTACKS, *structure.ATTACKS, *claims.ATTACKS, *hasura.ATTACKS)


def named(attack: Attack) -> str:
    return attack.name


@pytest.mark.usefixtures("publisher")
class TestAttacks:
    @pytest.mark.parametrize("attack", CATALOGUE, ids=named)
    def test_are_answered_by_their_reason(self, api_client: APIClient, attack: Attack) -> None:
        token = attack.make()

        response = api_client.get("/auth/current_user", HTTP_AUTHORIZATION=f"Bearer {token}")

        assert response.json().get("code", ACCEPTED) == attack.answer
        if attack.answer != ACCEPTED:
            challenge = response.headers["WWW-Authenticate"]
            assert response.status_code == 401
            assert challenge.startswith('Bearer realm="moped", error="invalid_token"')
            assert all(part not in response.content.decode() for part in token.split(".") if len(part) > 20)

        verdict, report = explain_token.explain(token)
        assert verdict == (ACCEPTED if attack.name in ONLY_SHOWING_FAILS else attack.answer)
        assert all(part not in report for part in token.split(".") if len(part) > 30)
        assert report.replace("\n", "").isprintable()


class TestKeySets:
    @pytest.mark.parametrize("attack", key_sets.ATTACKS, ids=named)
    def test_are_answered_by_their_reason(
        self, api_client: APIClient, publisher: Publisher, attack: Attack
    ) -> None:
        publisher.document = compact(attack.make())
        token = key().sign(id_payload())

        response = api_client.get("/auth/current_user", HTTP_AUTHORIZATION=f"Bearer {token}")

        assert explain_token.explain(token)[0] == attack.answer
        assert response.json().get("code", ACCEPTED) == attack.answer
        assert response.status_code == {ACCEPTED: 200, UNAVAILABLE: 503}.get(attack.answer, 401)
        assert ("Retry-After" in response.headers) == (attack.answer == UNAVAILABLE)


class TestCatalogue:
    def test_names_each_case_once_and_holds_every_reason(self) -> None:
        assert len({case.name for case in CATALOGUE}) == len(CATALOGUE)
        assert len({case.name for case in key_sets.ATTACKS}) == len(key_sets.ATTACKS)

        answers = {case.answer for case in CATALOGUE} | {case.answer for case in key_sets.ATTACKS}
        reasons = {error.code for error in TokenError.__subclasses__()} | {KeysUnavailableError.code}

        assert answers == reasons | {ACCEPTED}
