"""What a verified token says, and what it costs to verify it again."""

from __future__ import annotations

import pytest

from apps.auth import tokens
from apps.core.claims import NO_CLAIMS, HasuraClaims
from tests.auth.signing import HASURA, id_payload, key
from tests.pool import USER_ID

pytestmark = pytest.mark.usefixtures("publisher")


class TestVerify:
    def test_reads_the_caller_from_a_genuine_token(self) -> None:
        payload = id_payload(cognito__groups=["a", "b"], nonce="n")
        token = tokens.verify(key().token(payload))

        assert (token.sub, token.username, token.email) == (USER_ID, USER_ID, "jane.doe@austintexas.gov")
        assert (token.exp, token.iat, token.auth_time) == tuple(
            payload[name] for name in ("exp", "iat", "auth_time")
        )
        assert (token.client_id, token.groups, token.nonce) == ("test-client-1", ("a", "b"), "n")
        assert token.claims == HasuraClaims(
            user_id=USER_ID,
            default_role="moped-viewer",
            allowed_roles=("moped-editor",),
            database_id="77",
            workgroup_id="1",
        )

    def test_reads_the_claims_of_the_second_trigger_version_too(self) -> None:
        assert tokens.verify(key().token(id_payload(hasura=HASURA))).claims.database_id == "77"

    def test_knows_no_claims_where_there_are_none(self) -> None:
        assert tokens.verify(key().token(id_payload(hasura=None))).claims == NO_CLAIMS
