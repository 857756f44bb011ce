"""A stage as it is verified: its pool, its claims table and its API, seen from outside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from apps.core.aws import clients
from apps.deployment import smoke_account

TIMEOUT_SECONDS = 30


class Answer(NamedTuple):
    """What the stage answers over HTTP."""

    status: int
    headers: dict[str, str]
    body: Any


@dataclass
class Subject:
    """
    A stage that is looked at.

    :param outputs: of its stack
    :param url: where it answers, without a slash at the end
    :param key_set_url: where its pool publishes its keys
    :param origin: one whose pages may read its answers
    """

    outputs: dict[str, str]
    url: str
    key_set_url: str
    origin: str

    @cached_property
    def account(self) -> dict[str, str]:
        """The account that the stage keeps for being tried out."""
        return smoke_account.account(self.outputs["SmokeSecret"])

    @cached_property
    def signed_in(self) -> dict[str, Any]:
        """What a sign-in gives."""
        return self.sign_in(USERNAME=self.account["email"], PASSWORD=self.account["password"])

    @cached_property
    def keys(self) -> list[dict[str, str]]:
        """The pool's keys."""
        return list(ask(self.key_set_url).body["keys"])

    def sign_in(self, flow: str = "ADMIN_USER_PASSWORD_AUTH", **how: str) -> dict[str, Any]:
        """Sign in with a password or a refresh token."""
        return dict(
            clients.cognito().admin_initiate_auth(
                UserPoolId=self.outputs["UserPoolId"],
                ClientId=self.outputs["ClientId"],
                AuthFlow=flow,  # type: ignore[arg-type]
                AuthParameters=how,
            )["AuthenticationResult"]
        )

    def of_pool(self, call: str, **arguments: Any) -> Any:
        """Ask the pool for something about an account."""
        return getattr(clients.cognito(), call)(UserPoolId=self.outputs["UserPoolId"], **arguments)

    def of_table(self, call: str, **arguments: Any) -> Any:
        """Ask the claims table for something about an address."""
        return getattr(clients.dynamodb(), call)(TableName=self.outputs["ClaimsTable"], **arguments)

    def ask(self, path: str, *, token: str = "", **headers: str) -> Answer:
        """Call a route."""
        header_fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return ask(
            f"{self.url}{path}", header_fields | ({"Authorization": f"Bearer {token}"} if token else {})
        )


def ask(url: str, headers: dict[str, str] | None = None) -> Answer:
    """Ask a server; a refusal is an answer too."""
    method = "OPTIONS" if headers and "Access-Control-Request-Method" in headers else "GET"
    request = Request(url, headers=headers or {}, method=method)  # noqa: S310 (an output, or typed)
    try:
        with urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
            return _answer(response.status, response)
    except HTTPError as error:
        return _answer(error.code, error)


def _answer(status: int, response: Any) -> Answer:
    content = response.read()
    is_json = "json" in response.headers.get("Content-Type", "")
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(status, headers, json.loads(content) if is_json and content else content)
