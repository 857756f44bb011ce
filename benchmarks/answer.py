"""What every contender answers, so that all send the same body."""

from __future__ import annotations

import json
from typing import Any

HASURA = "https://hasura.io/jwt/claims"


def answer(claims: dict[str, Any]) -> dict[str, Any]:
    """Return what GET /auth/current_user answers."""
    return {
        "cognito:username": claims["cognito:username"],
        "email": claims["email"],
        "hasura_claims": json.loads(claims[HASURA]),
        "decrypted_jwt": claims,
    }
