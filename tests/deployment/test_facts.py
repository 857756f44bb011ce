"""
What the tests assume about AWS.

All tests use an emulator (docs/adr/0003-embedded-aws.md). `make check` checks these facts of the
emulator, and `stage verify` checks them of a stage. If the two differ, the tests prove nothing.
Nothing is changed: each call that would change something is refused.
"""

import json
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError
from django.conf import settings
from jose import jwt

from apps.claims.hasura import CLAIMS_NAMESPACE
from apps.claims.identity import normalize, sso_address
from apps.core.aws import clients
from apps.core.errors import MopedError
from apps.deployment import smoke
from apps.devstack import accounts, provision
from apps.devstack.emulator import Emulator
from apps.devstack.personas import BY_KEY, PASSWORD
from apps.health import probes
from tests.deployment.role import Role
from tests.support import emulator_fixtures
from tests.support.waiting import LIMIT_SECONDS
from tests.users.stores import Stores

pytestmark = [pytest.mark.slow(cost=5), pytest.mark.emulator]

VIEWER = BY_KEY["viewer"].email
UNKNOWN = f"unknown.{uuid.uuid4().hex}@austintexas.gov"
ITEM = {"user_id": {"S": UNKNOWN}}
EMAIL, WRONG, CONDITION = "<email>", "Not-The-Password-1", "attribute_exists(user_id)"
FEDERATED = ("EXTERNAL_PROVIDER", True)  # the status, and whether it has an address


@dataclass(frozen=True)
class Target:
    """What is checked: the outputs of a stack, the URL of an API, and an origin that may read its answers."""

    outputs: dict[str, str]
    url: str
    origin: str

    @cached_property
    def account(self) -> dict[str, str]:
        """The address and the password of the account that tests deployments."""
        return smoke.account(self.outputs["SmokeSecret"])

    @cached_property
    def tokens(self) -> dict[str, Any]:
        account = {"USERNAME": self.account["email"], "PASSWORD": self.account["password"]}
        return self.sign_in("ADMIN_USER_PASSWORD_AUTH", **account)

    def sign_in(self, flow: Any, **parameters: str) -> dict[str, Any]:
        return smoke.sign_in(self.outputs, flow, **parameters)

    def pool(self, call: str, **arguments: Any) -> Any:
        return getattr(clients.cognito(), call)(UserPoolId=self.outputs["UserPoolId"], **arguments)

    def accounts(self, condition: str) -> list[dict[str, str]]:
        """Return the accounts that meet a condition, each with its attributes."""
        return [
            {"Username": user["Username"], "UserStatus": user["UserStatus"]}
            | {attribute["Name"]: attribute["Value"] for attribute in user["Attributes"]}
            for user in self.pool("list_users", Filter=condition, Limit=60)["Users"]
        ]

    def table(self, call: str, **arguments: Any) -> Any:
        return getattr(clients.dynamodb(), call)(TableName=self.outputs["ClaimsTable"], **arguments)

    def ask(self, path: str, token: str = "", method: str = "GET", **headers: str) -> requests.Response:
        """Call a route, with one of the tokens of the sign-in."""
        if token:
            headers["Authorization"] = f"Bearer {self.tokens[token]}"
        return requests.request(method, f"{self.url}{path}", headers=headers, timeout=LIMIT_SECONDS)


@pytest.fixture(scope="module")
def target(request: pytest.FixtureRequest) -> Target:
    """The stage that `stage verify` names, or the emulator."""
    given = request.config.getoption("--target")
    return Target(**json.loads(given)) if given else request.getfixturevalue("emulated")


@pytest.fixture(scope="module")
def emulated(request: pytest.FixtureRequest, emulator: Emulator) -> Iterator[Target]:
    """The emulator's pool and table, and the API in this process, with the rights of `stage verify`."""
    variables = request.getfixturevalue("provisioned_variables")
    probe = {"neighbour": "tests.test_access.well"}  # the role may ask no others
    with emulator_fixtures.provisioned(emulator.url, variables, READINESS_PROBES=probe):
        probes._cache.clear()
        outputs = provision.deploy({"GitHubRepository": "city/moped", "Verification": "true"})
        credentials = json.dumps({"email": VIEWER, "password": PASSWORD})
        clients.secrets_manager().put_secret_value(SecretId=outputs["SmokeSecret"], SecretString=credentials)
        accounts.ensure([BY_KEY["viewer"]], with_rows=False)
        stores = Stores(outputs["UserPoolId"])
        assert stores.roles_at_sign_in(VIEWER, PASSWORD)  # from here on the trigger is awake
        with suppress(MopedError):  # the trigger denies the sign-in, the account is there
            stores.admit_sso(f"early.{uuid.uuid4().hex}@austintexas.gov")
        url = request.getfixturevalue("live_server").url
        with Role(outputs["VerificationRoleArn"], "verify").worn():
            yield Target(outputs, url, settings.CORS_ALLOWED_ORIGINS[0])


# What is called with which arguments, and the code of the refusal. EMAIL stands for the account's address.
NEW = {"Username": UNKNOWN, "MessageAction": "SUPPRESS"}
WEAK_PASSWORD = {"Username": EMAIL, "Password": "moped", "Permanent": True}
REFUSALS: list[tuple[str, str, dict[str, Any], str]] = [
    ("sign_in", "ADMIN_USER_PASSWORD_AUTH", {"USERNAME": EMAIL, "PASSWORD": WRONG}, "NotAuthorizedException"),
    ("sign_in", "REFRESH_TOKEN_AUTH", {"REFRESH_TOKEN": WRONG}, "NotAuthorizedException"),
    ("pool", "admin_get_user", {"Username": UNKNOWN}, "UserNotFoundException"),
    ("pool", "admin_user_global_sign_out", {"Username": UNKNOWN}, "UserNotFoundException"),
    ("pool", "admin_create_user", NEW | {"Username": EMAIL}, "UsernameExistsException"),
    ("pool", "admin_create_user", NEW | {"TemporaryPassword": "moped"}, "InvalidPasswordException"),
    ("pool", "admin_set_user_password", WEAK_PASSWORD, "InvalidPasswordException"),
    (
        "table",
        "put_item",
        {"Item": ITEM, "ConditionExpression": CONDITION},
        "ConditionalCheckFailedException",
    ),
]


class TestAWS:
    @pytest.mark.parametrize(("service", "call", "arguments", "code"), REFUSALS)
    def test_refuses(
        self, target: Target, service: str, call: str, arguments: dict[str, Any], code: str
    ) -> None:
        email = target.account["email"]
        values = {name: email if value == EMAIL else value for name, value in arguments.items()}

        with pytest.raises(ClientError) as refusal:
            getattr(target, service)(call, **values)
        assert refusal.value.response["Error"]["Code"] == code

    def test_has_no_item_of_an_unknown_address(self, target: Target) -> None:
        assert "Item" not in target.table("get_item", Key=ITEM, ConsistentRead=True)

    def test_gives_an_id_token_claims_of_these_types(self, target: Target) -> None:
        texts = ("aud", "cognito:username", "email", CLAIMS_NAMESPACE, "iss", "sub", "token_use")
        numbers = ("auth_time", "exp", "iat")
        types = {**dict.fromkeys(texts, str), **dict.fromkeys(numbers, int), "email_verified": bool}
        claims = jwt.get_unverified_claims(target.tokens["IdToken"])

        assert {name: type(claims.get(name)) for name in types} == types

    def test_gives_a_refreshed_token_the_same_claims(self, target: Target) -> None:
        refreshed = target.sign_in("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=target.tokens["RefreshToken"])
        before, after = map(jwt.get_unverified_claims, (target.tokens["IdToken"], refreshed["IdToken"]))

        for name in ("sub", "email", CLAIMS_NAMESPACE):
            assert before[name] == after[name]

    def test_finds_an_account_by_its_address(self, target: Target) -> None:
        email = target.account["email"]

        assert [each["email"] for each in target.accounts(f'email = "{email}"')] == [email]

    def test_finds_a_single_sign_on_account_by_its_name_only(self, target: Target) -> None:
        candidates = target.accounts(f'username ^= "{settings.SSO_USERNAME_PREFIX}"')
        federated = [each for each in candidates if (each["UserStatus"], "email" in each) == FEDERATED]
        if not federated:
            pytest.skip("not checked: the pool has no single sign-on account")  # it is read and never made
        username, email = federated[0]["Username"], federated[0]["email"]

        found = target.pool("admin_get_user", Username=username)["Username"]
        found_by_address = ""
        with suppress(clients.cognito().exceptions.UserNotFoundException):
            found_by_address = target.pool("admin_get_user", Username=email)["Username"]

        # A log of GitHub's may be public, so a failure shows no address of a person.
        assert {
            "named after its address": sso_address(username) == normalize(email),
            "listed by its address": username
            in [each["Username"] for each in target.accounts(f'email = "{email}"')],
            "found by its name": found == username,
            "found by its address": found_by_address == username,
        } == {
            "named after its address": True,
            "listed by its address": True,
            "found by its name": True,
            "found by its address": False,
        }


class TestAPI:
    def test_is_ready(self, target: Target) -> None:
        assert target.ask("/health/ready").status_code == requests.codes.ok

    def test_knows_who_is_calling(self, target: Target) -> None:
        answer = target.ask("/auth/current_user", "IdToken")

        assert (answer.status_code, answer.json()["email"]) == (200, target.account["email"])

    @pytest.mark.parametrize(
        ("path", "token", "status", "code"),
        [
            ("/auth/current_user", "", 401, "token_missing"),
            ("/auth/current_user", "AccessToken", 401, "use_wrong"),
            ("/nowhere", "", 404, "not_found"),
        ],
    )
    def test_refuses_with_one_kind_of_body(
        self, target: Target, path: str, token: str, status: int, code: str
    ) -> None:
        answer = target.ask(path, token)

        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.headers["Content-Type"] == "application/problem+json"

    def test_answers_the_editors_preflight(self, target: Target) -> None:
        headers = {"Origin": target.origin, "Access-Control-Request-Method": "GET"}
        answer = target.ask("/users/", method="OPTIONS", **headers)

        assert answer.headers["Access-Control-Allow-Origin"] == target.origin
