"""The claims, as fastapi-cognito wants them declared."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class Token(BaseModel):
    """An ID token; whatever it holds besides is kept, as our answer shows the whole payload."""

    model_config = ConfigDict(extra="allow")

    sub: str
    email: str
    iss: str
    aud: str
    token_use: str
    exp: int
    iat: int
    auth_time: int
    identities: list[dict[str, Any]] | None = None
