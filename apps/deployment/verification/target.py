"""A stage as it is verified: its pool, its claims table and its API, seen from outside."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import requests
from jose import jwt

from apps.core.aws import clients
from apps.deployment import smoke_account

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp.literals import AuthFlowTypeType

TIMEOUT_SECONDS = 30


@dataclass
class Subject:
    """
    A stage that is verified.

    :param outputs: of its stack
    :param url: its address, without a slash at the end
    :param key_set_url: the address of its pool's keys
    :param origin: an origin whose pages may read its answers
    """

    outputs: dict[str, str]
    url: str
    key_set_url: str
    origin: str

    @cached_property
    def account(self) -> dict[str, str]:
        """The address and the password of the account that tests deployments of the stage."""
        return smoke_account.account(self.outputs["SmokeSecret"])

    @cached_property
    def signed_in(self) -> dict[str, Any]:
        """The result of a sign-in."""
        return self.sign_in("ADMIN_USER_PASSWORD_AUTH", PASSWORD=self.account["password"])

    @cached_property
    def keys(self) -> list[dict[str, str]]:
        """The pool's keys."""
        return list(requests.get(self.key_set_url, timeout=TIMEOUT_SECONDS).json()["keys"])

    @property
    def email(self) -> str:
        """The address of the account."""
        return self.account["email"]

    def claims(self, token: str = "IdToken") -> dict[str, Any]:  # noqa: S107 (its name)
        """Return the claims of one of the tokens of the sign-in."""
        return dict(jwt.get_unverified_claims(self.signed_in[token]))

    def sign_in(self, flow: AuthFlowTypeType, **parameters: str) -> dict[str, Any]:
        """Sign the account in."""
        return smoke_account.sign_in(self.outputs, flow, USERNAME=self.email, **parameters)

    def of_pool(self, call: str, **arguments: Any) -> Any:
        """Ask the pool for something about an account."""
        return getattr(clients.cognito(), call)(UserPoolId=self.outputs["UserPoolId"], **arguments)

    def accounts(self, condition: str) -> list[dict[str, str]]:
        """Return the accounts that meet a condition, each with its attributes."""
        users = self.of_pool("list_users", Filter=condition, Limit=60)["Users"]
        return [
            {"Username": user["Username"], "UserStatus": user["UserStatus"]}
            | {attribute["Name"]: attribute["Value"] for attribute in user["Attributes"]}
            for user in users
        ]

    def of_table(self, call: str, **arguments: Any) -> Any:
        """Ask the claims table for something about an address."""
        return getattr(clients.dynamodb(), call)(TableName=self.outputs["ClaimsTable"], **arguments)

    def ask(self, path: str, token: str = "", method: str = "GET", **headers: str) -> requests.Response:
        """Call a route, with one of the tokens of the sign-in."""
        if token:
            headers["Authorization"] = f"Bearer {self.signed_in[token]}"
        return requests.request(method, f"{self.url}{path}", headers=headers, timeout=TIMEOUT_SECONDS)

    def refusal(self, path: str, token: str = "") -> tuple[int, str, str]:
        """Call a route that refuses, and return the status, the code and the type of the answer."""
        answer = self.ask(path, token)
        return answer.status_code, answer.json()["code"], answer.headers["Content-Type"]
