"""The credentials of GitHub's runner: it has no keys, and gets a role for the claims of its token."""

from typing import Any

import boto3
from jose import jwt

# As the tokens of a repository name it that was created since July 2026 (docs/github.md).
REPOSITORY = "cityofaustin@14157087/moped-api@912345678"


def credentials(role: str, environment: str) -> Any:
    """Return the credentials of a role for a job in one of the repository's environments."""
    claims = {
        "iss": "https://token.actions.githubusercontent.com",
        "aud": "sts.amazonaws.com",
        "sub": f"repo:{REPOSITORY}:environment:{environment}",
    }
    token = jwt.encode(claims, "any")  # the emulator reads what it says and asks for no signature
    answer = boto3.client("sts").assume_role_with_web_identity(
        RoleArn=role, RoleSessionName="rehearsal", WebIdentityToken=token
    )
    return answer["Credentials"]
