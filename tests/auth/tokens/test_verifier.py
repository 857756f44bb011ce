"""What a verified token says, and what it costs to verify it again."""

import pytest

from apps.auth.tokens import verifier
from apps.claims.hasura import NO_CLAIMS, HasuraClaims
from tests.auth.signing import HASURA, id_payload, key
from tests.support.token_factory import USER_ID, Publisher

pytestmark = pytest.mark.usefixtures("publisher")


class TestVerify:
    def test_reads_the_caller_from_a_genuine_token(self) -> None:
        payload = id_payload(cognito__groups=["a", "b"], nonce="n")
        caller = verifier.verify(key().sign(payload))

        assert (caller.sub, caller.username, caller.email) == (USER_ID, USER_ID, "jane.doe@austintexas.gov")
        assert (caller.exp, caller.nonce) == (payload["exp"], "n")
        assert caller.claims == HasuraClaims(
            user_id=USER_ID,
            default_role="moped-viewer",
            allowed_roles=("moped-editor",),
            database_id="77",
            workgroup_id="1",
        )

    def test_reads_the_claims_of_the_second_trigger_version_and_none(self) -> None:
        assert verifier.verify(key().sign(id_payload(hasura=HASURA))).claims.database_id == "77"
        assert verifier.verify(key().sign(id_payload(hasura=None))).claims == NO_CLAIMS

    @pytest.mark.parametrize("bits", [2048, 3072, 4096])
    def test_takes_keys_of_every_size_that_is_strong_enough(self, publisher: Publisher, bits: int) -> None:
        signer = key(f"of {bits}", bits)
        publisher.publish(signer)

        assert verifier.verify(signer.sign(id_payload()))


class TestMemory:
    def test_keeps_a_verified_token(self) -> None:
        text = key().sign(id_payload())

        assert verifier.verify(text) is verifier.verify("".join(list(text)))

    def test_is_not_filled_by_junk(self) -> None:
        text = key().sign(id_payload())
        before = verifier.verify(text)
        for number in range(verifier.REMEMBERED_TOKENS + 10):
            with pytest.raises(verifier.TokenError):
                verifier.verify(f"{text[:-6]}{number:05}A")

        assert verifier.verify(text) is before

    def test_has_a_bound(self) -> None:
        assert verifier._verified.cache_info().maxsize == 1024
        assert verifier.parse_kid.cache_info().maxsize == 64


class TestRefusals:
    @pytest.mark.parametrize("error", verifier.TokenError.__subclasses__(), ids=lambda error: error.code)
    def test_have_a_code_and_a_sentence_of_their_own(self, error: type[verifier.TokenError]) -> None:
        other_codes = {other.code for other in verifier.TokenError.__subclasses__() if other is not error}

        assert error.code not in other_codes
        assert str(error()).endswith(".")
        assert '"' not in str(error())  # it stands within quotes in WWW-Authenticate

    def test_say_nothing_of_the_token(self) -> None:
        with pytest.raises(verifier.TokenError) as refusal:
            verifier.verify(key().sign(id_payload(aud="a-secret")))

        assert refusal.value.args == ("The token was issued to another application.",)
