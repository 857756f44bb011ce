"""The keys of a pool, and payloads of its tokens in which every claim can be changed."""

import json
import threading
from functools import cache
from typing import Any

from apps.claims.hasura import CLAIMS_NAMESPACE
from tests.support.token_factory import Signer, compact, hasura_claim, payload

__all__ = ["HASURA", "compact", "id_payload", "key"]

HASURA = json.loads(hasura_claim("moped-editor"))

_signer = cache(Signer)
_making = threading.Lock()  # a cache alone lets two threads make two keys of one id


def key(name: str = "pool-key-1", bits: int = 2048, exponent: int = 65537) -> Signer:
    """Return the key of that id, the same one all session long: making one takes a while."""
    with _making:
        return _signer(name, bits, exponent)


def id_payload(**changes: Any) -> dict[str, Any]:
    """
    Return what Cognito puts into an ID token of the test pool; a change to None drops a claim.

    Colons are written as two underscores: `cognito__username`. Hasura's claim is `hasura`.
    """
    ids = {
        "origin_jti": "22222222-2222-4222-8222-222222222222",
        "event_id": "33333333-3333-4333-8333-333333333333",
        "jti": "44444444-4444-4444-8444-444444444444",
    }
    spelled = {name.replace("__", ":").replace("hasura", CLAIMS_NAMESPACE): changes[name] for name in changes}
    return payload(**ids | spelled)
