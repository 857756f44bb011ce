"""
What the tests assume about AWS, checked of a stage.

All tests use an emulator (docs/adr/0003-embedded-aws.md). Each fact here holds for the emulator, in
the tests, and must hold for the stage, or the tests prove nothing. Nothing is changed: each call
that would change something is refused.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final, NamedTuple

from django.conf import settings
from jose import jwt

from apps.claims.hasura import CLAIMS_NAMESPACE
from apps.claims.identity import normalize, sso_address
from apps.core.aws.errors import translate_errors
from apps.core.errors import MopedError, NotFoundError
from apps.deployment import smoke_account
from apps.deployment.aws import rest_api
from apps.deployment.errors import StageError
from apps.deployment.settings.rendering import Stage
from apps.deployment.verification.target import Subject

NOT_AUTHORIZED, NOT_FOUND = "NotAuthorizedException", "UserNotFoundException"
WRONG, WEAK, WEAK_PASSWORD = "Not-The-Password-1", "moped", "InvalidPasswordException"
# The claims of an ID token that the API reads, and the type of each.
TEXTS = ("aud", "cognito:username", "email", CLAIMS_NAMESPACE, "iss", "sub", "token_use")
TYPES = {
    **dict.fromkeys(TEXTS, "str"),
    **dict.fromkeys(("auth_time", "exp", "iat"), "int"),
    "email_verified": "bool",
}
PROBLEM = "application/problem+json"
UNKNOWN = f"unknown.{uuid.uuid4().hex}@austintexas.gov"
ITEM = {"user_id": {"S": UNKNOWN}}
NOT_CHECKED: Final = object()  # observed if the pool has no single sign-on account
FEDERATED = "EXTERNAL_PROVIDER"


class Fact(NamedTuple):
    """An assumption, the value that is expected, and how the real value is read."""

    name: str
    expected: object
    observed: Callable[[Subject], object]


def subject_of(stage: Stage, url: str = "") -> Subject:
    """
    Return a stage as it is verified.

    :param url: its address; "" for its host name
    :raises StageError: if it has no REST API
    """
    variables = stage.settings["aws_environment_variables"]
    domain, pool = stage.settings.get("domain"), stage.outputs["UserPoolId"]
    where = url or (f"https://{domain}" if domain else rest_api.url(stage))
    if not where:
        raise StageError(f"{stage.name} is not deployed.")
    return Subject(
        stage.outputs,
        where.rstrip("/"),
        variables.get("COGNITO_JWKS_URL") or f"{issuer(pool)}/.well-known/jwks.json",
        variables["MOPED_API_CORS_ORIGINS"].partition(",")[0],
    )


def issuer(pool: str) -> str:
    """Return the issuer of a pool's tokens."""
    return f"https://cognito-idp.{pool.partition('_')[0]}.amazonaws.com/{pool}"


def verify(subject: Subject) -> Iterator[str]:
    """
    Yield a line for each fact that holds, or that there is nothing to check it on.

    :raises StageError: at the end, naming each that does not
    """
    failures = []
    for fact in FACTS:
        observed = _observed(fact, subject)
        if observed is NOT_CHECKED:
            yield f"not checked: {fact.name}; the pool has no such account"
        elif observed == fact.expected:
            yield f"holds: {fact.name}"
        else:
            failures.append(f"{fact.name}: {observed!r}, not {fact.expected!r}")
    if failures:
        raise StageError(f"{len(failures)} of {len(FACTS)} facts do not hold: " + "; ".join(failures))


def _observed(fact: Fact, subject: Subject) -> object:
    """Return what is observed; a refusal is observed by its code."""
    try:
        with translate_errors():
            return fact.observed(subject)
    except (MopedError, OSError, KeyError, ValueError) as error:
        response = getattr(error.__cause__, "response", None)
        return response["Error"]["Code"] if response else repr(error.__cause__ or error)


def _header(subject: Subject) -> object:
    header = jwt.get_unverified_header(subject.signed_in["IdToken"])
    published = [key for key in subject.keys if key["kid"] == header["kid"]]
    return sorted(header), header["alg"], len(published)


def _types(subject: Subject) -> object:
    return {name: type(value).__name__ for name, value in subject.claims().items() if name in TYPES}


def _issuer_and_client(subject: Subject) -> object:
    claims, access = subject.claims(), subject.claims("AccessToken")
    return {
        "iss": claims["iss"] == access["iss"] == issuer(subject.outputs["UserPoolId"]),
        "aud": claims["aud"] == access["client_id"] == subject.outputs["ClientId"],
        "token_use": (claims["token_use"], access["token_use"]),
        "aud of access": "aud" in access,
    }


def _refreshed(subject: Subject) -> object:
    token = subject.signed_in["RefreshToken"]
    tokens = smoke_account.sign_in(subject.outputs, "REFRESH_TOKEN_AUTH", REFRESH_TOKEN=token)
    claims, before = jwt.get_unverified_claims(tokens["IdToken"]), subject.claims()
    return {name: claims[name] == before[name] for name in ("sub", "email", CLAIMS_NAMESPACE)}


def _key_set(subject: Subject) -> object:
    kinds = {tuple(sorted((name, key[name]) for name in ("alg", "e", "kty", "use"))) for key in subject.keys}
    return [dict(kind) for kind in kinds]


def _addresses(subject: Subject) -> object:
    """Return the addresses of the accounts with the address of the test account."""
    return [each["email"] == subject.email for each in subject.accounts(f'email = "{subject.email}"')]


def _single_sign_on(subject: Subject) -> object:
    """Return how the pool finds a single sign-on account, which is read and never made."""
    candidates = subject.accounts(f'username ^= "{settings.SSO_USERNAME_PREFIX}"')
    federated = [each for each in candidates if each["UserStatus"] == FEDERATED and each.get("email")]
    if not federated:
        return NOT_CHECKED
    username, email = federated[0]["Username"], federated[0]["email"]
    return {
        "named after its address": sso_address(username) == normalize(email),
        "listed by its address": username
        in [each["Username"] for each in subject.accounts(f'email = "{email}"')],
        "found by its name": _is_found(subject, username, username),
        "found by its address": _is_found(subject, email, username),
    }


def _is_found(subject: Subject, name: str, username: str) -> bool:
    with suppress(NotFoundError), translate_errors(UserNotFoundException=NotFoundError):
        return bool(subject.of_pool("admin_get_user", Username=name)["Username"] == username)
    return False


def _current_user(subject: Subject) -> object:
    answer = subject.ask("/auth/current_user", "IdToken")
    return answer.status_code, answer.json().get("email") == subject.email


def _preflight(subject: Subject) -> object:
    headers = {"Origin": subject.origin, "Access-Control-Request-Method": "GET"}
    answer = subject.ask("/users/", method="OPTIONS", **headers)
    return answer.headers.get("Access-Control-Allow-Origin") == subject.origin


FACTS = (
    Fact(
        "a sign-in gives these tokens",
        ["AccessToken", "ExpiresIn", "IdToken", "RefreshToken", "TokenType"],
        lambda subject: sorted(set(subject.signed_in) - {"NewDeviceMetadata"}),
    ),
    Fact("an ID token is signed by one published key", (["alg", "kid"], "RS256", 1), _header),
    Fact("an ID token has these claims, of these types", TYPES, _types),
    Fact(
        "tokens are issued by the pool for the client",
        {"iss": True, "aud": True, "token_use": ("id", "access"), "aud of access": False},
        _issuer_and_client,
    ),
    Fact(
        "a refreshed token has the same claims",
        {"sub": True, "email": True, CLAIMS_NAMESPACE: True},
        _refreshed,
    ),
    Fact(
        "keys are published like this", [{"alg": "RS256", "e": "AQAB", "kty": "RSA", "use": "sig"}], _key_set
    ),
    Fact(
        "a wrong password is refused",
        NOT_AUTHORIZED,
        lambda subject: subject.sign_in("ADMIN_USER_PASSWORD_AUTH", PASSWORD=WRONG),
    ),
    Fact(
        "an invalid refresh token is refused",
        NOT_AUTHORIZED,
        lambda subject: subject.sign_in("REFRESH_TOKEN_AUTH", REFRESH_TOKEN=WRONG),
    ),
    Fact(
        "an unknown account is not found",
        NOT_FOUND,
        lambda subject: subject.of_pool("admin_get_user", Username=UNKNOWN),
    ),
    Fact(
        "the sessions of an unknown account are not found",
        NOT_FOUND,
        lambda subject: subject.of_pool("admin_user_global_sign_out", Username=UNKNOWN),
    ),
    Fact(
        "a taken address is refused",
        "UsernameExistsException",
        lambda subject: subject.of_pool(
            "admin_create_user", Username=subject.email, MessageAction="SUPPRESS"
        ),
    ),
    Fact(
        "a weak password of a new account is refused",
        WEAK_PASSWORD,
        lambda subject: subject.of_pool(
            "admin_create_user", Username=UNKNOWN, TemporaryPassword=WEAK, MessageAction="SUPPRESS"
        ),
    ),
    Fact(
        "a weak new password is refused",
        WEAK_PASSWORD,
        lambda subject: subject.of_pool(
            "admin_set_user_password", Username=subject.email, Password=WEAK, Permanent=True
        ),
    ),
    Fact("an account is found by its address", [True], _addresses),
    Fact(
        "a single sign-on account is found by its name, not by its address",
        {
            "named after its address": True,
            "listed by its address": True,
            "found by its name": True,
            "found by its address": False,
        },
        _single_sign_on,
    ),
    Fact(
        "an unknown address has no item",
        None,
        lambda subject: subject.of_table("get_item", Key=ITEM, ConsistentRead=True).get("Item"),
    ),
    Fact(
        "a condition that does not hold is refused",
        "ConditionalCheckFailedException",
        lambda subject: subject.of_table(
            "put_item", Item=ITEM, ConditionExpression="attribute_exists(user_id)"
        ),
    ),
    Fact("the API answers", 200, lambda subject: subject.ask("/").status_code),
    Fact("the API is ready", 200, lambda subject: subject.ask("/health/ready").status_code),
    Fact("the API knows who is calling", (200, True), _current_user),
    Fact(
        "the API asks for a token",
        (401, "token_missing", PROBLEM),
        lambda subject: subject.refusal("/auth/current_user"),
    ),
    Fact(
        "the API refuses an access token",
        (401, "use_wrong", PROBLEM),
        lambda subject: subject.refusal("/auth/current_user", "AccessToken"),
    ),
    Fact("the API answers the editor's preflight", expected=True, observed=_preflight),
    Fact(
        "the API has one body for failures",
        (404, "not_found", PROBLEM),
        lambda subject: subject.refusal("/nowhere"),
    ),
)
