"""A stage as it is verified: its pool, its claims table and its API, seen from outside."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import requests

from apps.core.aws import clients
from apps.deployment import smoke_account

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
        """The account that tests deployments of the stage."""
        return smoke_account.account(self.outputs["SmokeSecret"])

    @cached_property
    def signed_in(self) -> dict[str, Any]:
        """The result of a sign-in."""
        email, password = self.account["email"], self.account["password"]
        return smoke_account.sign_in(self.outputs, USERNAME=email, PASSWORD=password)

    @cached_property
    def keys(self) -> list[dict[str, str]]:
        """The pool's keys."""
        return list(requests.get(self.key_set_url, timeout=TIMEOUT_SECONDS).json()["keys"])

    def of_pool(self, call: str, **arguments: Any) -> Any:
        """Ask the pool for something about an account."""
        return getattr(clients.cognito(), call)(UserPoolId=self.outputs["UserPoolId"], **arguments)

    def of_table(self, call: str, **arguments: Any) -> Any:
        """Ask the claims table for something about an address."""
        return getattr(clients.dynamodb(), call)(TableName=self.outputs["ClaimsTable"], **arguments)

    def ask(
        self, path: str, *, token: str = "", method: str = "GET", headers: dict[str, str] | None = None
    ) -> requests.Response:
        """Call a route."""
        authorization = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.request(
            method, f"{self.url}{path}", headers=authorization | (headers or {}), timeout=TIMEOUT_SECONDS
        )
