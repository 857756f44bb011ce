"""
What joserfc, another library, says to the whole catalogue.

Whatever we accept it accepts too. Where it accepts and we refuse, the rule of ours that it does
not have is named here; a disagreement without a name fails.
"""

import re
import warnings

import pytest
from django.conf import settings
from joserfc import jwk, jwt
from joserfc.jws import JWSRegistry

from tests.auth.attacks import ACCEPTED, Attack
from tests.auth.signing import key
from tests.auth.tokens.test_attacks import CATALOGUE, named

STRICTER = {
    "one spelling per token: canonical base64url, no padding, no white space": (
        r"padding-.*|.*-in-the-(signature|payload|header)|standard-alphabet|.*-not-canonical.*|impossible-length.*"
    ),
    "a header is a JSON object in UTF-8 without duplicate members": r"header-.*",
    "kid is a string": r"kid-(absent|1|1.5|true|\[.*|\{.*)|signed-by-a-stranger-without-kid",
    "no crit at all": r"crit-.*",
    "at most 8 kB": r"one-too-large",
    "aud is one string": r"aud-in-a-list.*",
    "token_use is a string": r"use-in-a-list",
    "times are integers, and not before 1970 nor after 9999": r"(exp|iat|auth_time|nbf)-.*",
    "email, cognito:username and nonce are strings": r"(email|cognito__username)-.*|nonce-of-another-type",
    "cognito:groups is a list of strings": r"groups-.*",
    "email_verified is a boolean or its name": r"email_verified-.*",
    "payloads are UTF-8 without a mark, numbers are numbers, nesting has an end": r"payload-.*",
    "Hasura's claim is a flat object of strings, each named once": (
        r"(value|string-of)-.*|.*-(in-a-string|as-an-object)"
    ),
}


def accepts(token: str) -> bool:
    keys = jwk.KeySet([jwk.RSAKey.import_key(key(kid).jwk()) for kid in ("pool-key-1", "pool-key-2")])
    limits = JWSRegistry(algorithms=["RS256"], strict_check_header=False)
    limits.max_header_length = limits.max_payload_length = 64_000
    rules = jwt.JWTClaimsRegistry(
        leeway=30,
        iss={"essential": True, "value": settings.COGNITO_ISSUER},
        aud={"essential": True, "values": list(settings.COGNITO_CLIENT_IDS)},
        token_use={"essential": True, "value": "id"},
        **{name: {"essential": True} for name in ("exp", "iat", "sub")},  # type: ignore[arg-type]
    )
    try:
        rules.validate(jwt.decode(token, keys, registry=limits).claims)
    except Exception:  # noqa: BLE001 (it raises what it likes: that is a refusal, too)
        return False
    return True


@pytest.mark.usefixtures("publisher")
class TestSecondOpinion:
    @pytest.mark.parametrize("attack", CATALOGUE, ids=named)
    def test_is_the_same_or_the_difference_has_a_name(self, attack: Attack) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            joserfc_verdict = accepts(attack.make())

        if attack.answer == ACCEPTED:
            assert joserfc_verdict
        elif joserfc_verdict and attack.answer != "token_expired":  # their leeway is for both ends
            assert any(re.fullmatch(names, attack.name) for names in STRICTER.values())
