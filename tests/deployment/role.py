"""A role of the template, put on by this process, and taken apart right by right."""

from __future__ import annotations

import json
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3

from apps.core.aws import clients

if TYPE_CHECKING:
    from collections.abc import Iterator

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}


class Right(NamedTuple):
    """An action of a statement of a role; without an action, the whole statement."""

    sid: str
    action: str = ""
    role: str = "FunctionRole"

    def __str__(self) -> str:
        return f"{self.role} {self.sid} {self.action}".rstrip()


class Role:
    """
    A role with the very policy that CloudFormation gave another.

    A copy, since the user pool goes on calling the function with the original.

    :param original: the ARN of the function's role, or of another
    :param policy: the name of its policy
    """

    def __init__(self, original: str, policy: str = "api") -> None:
        self._iam = boto3.client("iam")
        self._name = f"worn-{uuid.uuid4().hex[:8]}"
        self._policy = policy_of(original, policy)
        arn = self._iam.create_role(RoleName=self._name, AssumeRolePolicyDocument=json.dumps(TRUST))
        self._allow(self._policy["Statement"])
        self._given = boto3.client("sts").assume_role(RoleArn=arn["Role"]["Arn"], RoleSessionName="proof")

    @contextmanager
    def worn(self) -> Iterator[None]:
        """Let this process be the role: the clients it has, and those it makes."""
        # All clients of a session share one object, so nothing needs to be built again.
        own: Any = clients._session().get_credentials()
        before = own.access_key, own.secret_key, own.token
        names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
        credentials: Any = self._given["Credentials"]
        own.access_key, own.secret_key, own.token = (credentials[name] for name in names)
        try:
            yield
        finally:
            own.access_key, own.secret_key, own.token = before

    @contextmanager
    def without(self, right: Right) -> Iterator[None]:
        """Take one right away for as long as the block lasts."""
        self._allow([statement for each in self._policy["Statement"] if (statement := _without(each, right))])
        try:
            yield
        finally:
            self._allow(self._policy["Statement"])

    def _allow(self, statements: list[dict[str, Any]]) -> None:
        document = json.dumps({**self._policy, "Statement": statements})
        self._iam.put_role_policy(RoleName=self._name, PolicyName="api", PolicyDocument=document)


def policy_of(role: str, name: str) -> dict[str, Any]:
    """Return a policy of a role as it became, with every name filled in."""
    iam = boto3.client("iam")
    policy: Any = iam.get_role_policy(RoleName=role.rpartition("/")[2], PolicyName=name)["PolicyDocument"]
    return dict(json.loads(policy) if isinstance(policy, str) else policy)


def _without(statement: dict[str, Any], right: Right) -> dict[str, Any] | None:
    if statement["Sid"] != right.sid:
        return statement
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    assert not right.action or right.action in actions, f"there is no {right} to take away"
    remaining = [action for action in actions if right.action and action != right.action]
    return {**statement, "Action": remaining} if remaining else None
