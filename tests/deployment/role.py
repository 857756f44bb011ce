"""A role of the template, assumed by this process."""

import json
import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

import boto3

from apps.core.aws import clients

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}


class Role:
    """
    A copy of a role, with the policy that CloudFormation gave the original, or with rights of its own.

    The user pool continues to call the function with the original.

    :param original: the ARN of the function's role, or of another
    :param policy: the name of its policy
    :param rights: statements in place of those of an original
    """

    def __init__(self, original: str = "", policy: str = "api", *, rights: Sequence[Any] = ()) -> None:
        iam, name = boto3.client("iam"), f"worn-{uuid.uuid4().hex[:8]}"
        self.arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        document = {"Version": "2012-10-17", "Statement": rights} if rights else policy_of(original, policy)
        iam.put_role_policy(RoleName=name, PolicyName="api", PolicyDocument=json.dumps(document))
        self._given = boto3.client("sts").assume_role(RoleArn=self.arn, RoleSessionName="proof")

    def worn(self) -> AbstractContextManager[None]:
        """Let all clients of this process call as the role."""
        return acting_with(self._given["Credentials"])


@contextmanager
def acting_with(credentials: Any) -> Iterator[None]:
    """Let all clients of this process, and the programs that it starts, use the credentials that STS gave."""
    # All clients of a session share one object, so nothing needs to be built again.
    own: Any = clients._session().get_credentials()
    before = own.access_key, own.secret_key, own.token
    values = [credentials[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
    own.access_key, own.secret_key, own.token = values
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    try:
        with patch.dict(os.environ, dict(zip(names, values, strict=True))):
            yield
    finally:
        own.access_key, own.secret_key, own.token = before


def policy_of(role: str, name: str) -> dict[str, Any]:
    """Return a policy of a role as it became, with every name filled in."""
    iam = boto3.client("iam")
    policy: Any = iam.get_role_policy(RoleName=role.rpartition("/")[2], PolicyName=name)["PolicyDocument"]
    return dict(json.loads(policy) if isinstance(policy, str) else policy)
