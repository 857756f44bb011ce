"""The credentials of GitHub's runner: it has no keys, and gets a role for the claims of its token."""

import base64
import json
from typing import Any

import boto3

# As the tokens of a repository name it that was created since July 2026 (docs/github.md).
REPOSITORY = "cityofaustin@14157087/moped-api@912345678"


def credentials(role: str, environment: str) -> Any:
    """Return the credentials of a role for a job in one of the repository's environments."""
    answer = boto3.client("sts").assume_role_with_web_identity(
        RoleArn=role, RoleSessionName="rehearsal", WebIdentityToken=_token(environment)
    )
    return answer["Credentials"]


def _token(environment: str) -> str:
    # The emulator reads what a token says and asks for no signature.
    claims = {
        "iss": "https://token.actions.githubusercontent.com",
        "aud": "sts.amazonaws.com",
        "sub": f"repo:{REPOSITORY}:environment:{environment}",
    }
    return f"{_part({'alg': 'none'})}.{_part(claims)}."


def _part(content: dict[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()
