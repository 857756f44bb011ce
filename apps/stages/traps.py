"""
What goes wrong with a stage although Zappa deploys it without a word: one function for each trap.

Each is given a stage's name and its flattened settings, and yields a `Trap`: what is wrong, why it
matters, what to write instead. All of them were fallen into: docs/adr/0010-package.md and Zappa's
own defaults.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from apps.stages import zappa_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from apps.stages.zappa_file import Settings

# API Gateway answers 504 after 29 seconds, whatever the function is still doing.
GATEWAY_SECONDS = 29
STAGE_NAME = re.compile(r"[a-z][a-z0-9_]*")
OVERRIDES = ("AWS_ENDPOINT_URL", "COGNITO_JWKS_URL")
SECRET_NAME = re.compile(r"(SECRET|PASSWORD|PRIVATE|API_?KEY|ACCESS_KEY|TOKEN|FERNET)", re.IGNORECASE)
# Names with such a word whose value is a name too.
NAMES_OF_SECRETS = {"MOPED_API_CONFIGURATION_SETTINGS", "MOPED_API_DATABASE_SECRET"}
PASSWORD_IN_URL = re.compile(r"://[^/@\s:]+:[^/@\s]+@")
ACCOUNT_NUMBER = re.compile(r"(?<!\d)\d{12}(?!\d)")


class Trap(NamedTuple):
    """Something that is wrong with a stage, or with the settings of Django."""

    id: str
    wrong: str
    matters: str
    write: str


def debug(stage: str, settings: Settings) -> Iterator[Trap]:
    """Find Zappa's default, which answers a crash with its traceback."""
    if settings.get("debug", True):
        yield Trap(
            "E001",
            f"{stage}: debug is on.",
            "It is Zappa's default, and puts tracebacks into the bodies of failures.",
            '"debug": false',
        )


def log_level(stage: str, settings: Settings) -> Iterator[Trap]:
    """Find Zappa's default, which logs whole events."""
    if settings.get("log_level", "DEBUG") == "DEBUG":
        yield Trap(
            "E002",
            f"{stage}: log_level is DEBUG.",
            "It is Zappa's default, and logs whole events: bearer tokens, addresses, passwords.",
            '"log_level": "INFO"',
        )


def roles(stage: str, settings: Settings) -> Iterator[Trap]:
    """Find Zappa's own role, which may do nearly everything."""
    if settings.get("manage_roles", True):
        yield Trap(
            "E003",
            f"{stage}: Zappa manages the role.",
            "Its role may do s3:*, sqs:*, dynamodb:* and more, and stays behind when the stage goes.",
            '"manage_roles": false; the role comes from the stack',
        )
    for name in ("attach_policy", "extra_permissions", "role_name"):
        if name in settings:
            yield Trap(
                "E003",
                f"{stage}: {name} widens the role.",
                "What the function may do stands in one place, infrastructure/moped-api.yaml.",
                f"a statement in the template, and no {name}",
            )


def gateway(stage: str, settings: Settings) -> Iterator[Trap]:
    """Find what the gateway is asked to do and had better not."""
    if settings.get("authorizer") or settings.get("iam_authorization"):
        yield Trap(
            "E004",
            f"{stage}: the gateway is given an authorizer.",
            "With apigateway_version v2 Zappa deploys it open all the same; the API verifies tokens itself.",
            "no authorizer",
        )
    if settings.get("cors"):
        yield Trap(
            "E005",
            f"{stage}: the gateway answers preflights.",
            "Two answer for CORS then, and the gateway's allows every origin; the API answers for all.",
            '"cors": false',
        )


def secrets(stage: str, settings: Settings) -> Iterator[Trap]:
    """Find what must not stand in the repository, in the package and in the console."""
    for name, value in _texts(settings):
        variable = name.rpartition(".")[2]
        secret = SECRET_NAME.search(variable) and variable not in NAMES_OF_SECRETS and value
        if secret or PASSWORD_IN_URL.search(value):
            yield Trap(
                "E006",
                f"{stage}: {name} looks like a secret.",
                "It would stand in the repository, and in clear among the function's variables.",
                "its value into Secrets Manager, only the secret's name here",
            )
        if ACCOUNT_NUMBER.search(value):
            yield Trap(
                "E007",
                f"{stage}: {name} names an AWS account.",
                "What an account decides differs between accounts; it comes from the stack's outputs.",
                "an output of infrastructure/moped-api.yaml",
            )


def unencrypted_variables(stage: str, settings: Settings) -> Iterator[Trap]:
    """Find the two of Zappa's three places for variables that are wrong."""
    for name in ("environment_variables", "remote_env"):
        if settings.get(name):
            yield Trap(
                "E008",
                f"{stage}: {name} is used.",
                "It overrules Lambda's own variables; and when remote_env cannot be fetched, nobody is told.",
                "aws_environment_variables",
            )


def overrides(stage: str, settings: Settings) -> Iterator[Trap]:
    """Find what decides whose keys are believed."""
    for name in OVERRIDES:
        if name in settings.get("aws_environment_variables", {}):
            yield Trap(
                "E009",
                f"{stage}: {name} is set.",
                "It leads to an emulator, whose private keys everybody has.",
                f"no {name}; only a laptop has one",
            )


def wildcards(stage: str, settings: Settings) -> Iterator[Trap]:
    """Find what lets any page in a browser in."""
    variables = settings.get("aws_environment_variables", {})
    hosts = variables.get("MOPED_API_ALLOWED_HOSTS", "").split(",")
    if "*" in hosts or not any(hosts):
        yield Trap(
            "E010",
            f"{stage}: every host name is allowed, or none.",
            "Links and redirects are built from the host name that the caller sends.",
            "the stage's own names in MOPED_API_ALLOWED_HOSTS",
        )
    patterns = variables.get("MOPED_API_CORS_ORIGIN_PATTERNS", "").split(",")
    loose = [pattern for pattern in patterns if pattern and not (pattern[0] == "^" and pattern[-1] == "$")]
    if "*" in variables.get("MOPED_API_CORS_ORIGINS", "") or loose:
        yield Trap(
            "E011",
            f"{stage}: foreign pages may read answers.",
            "A wildcard, or a pattern without ^ and $, also fits origins that somebody else registers.",
            "whole origins in MOPED_API_CORS_ORIGINS, anchored patterns in MOPED_API_CORS_ORIGIN_PATTERNS",
        )


def bounds(stage: str, settings: Settings) -> Iterator[Trap]:
    """Find what has no bound or no name."""
    if not 0 < settings.get("timeout_seconds", 30) < GATEWAY_SECONDS:
        yield Trap(
            "E012",
            f"{stage}: timeout_seconds is not below {GATEWAY_SECONDS}.",
            "The gateway gives up after 29 s; the function would go on, and be paid for, unheard.",
            '"timeout_seconds": 28',
        )
    if not settings.get("moped", {}).get("log_retention_days"):
        yield Trap(
            "E013",
            f"{stage}: logs are kept for ever.",
            "It is CloudWatch's default; logs hold addresses of people, and cost money.",
            '"moped": {"log_retention_days": 30}',
        )
    if missing := {"project", "stage"} - settings.get("tags", {}).keys():
        yield Trap(
            "E014",
            f"{stage}: the tag {min(missing)!r} is missing.",
            "Costs and left-overs are found by tag.",
            f'"tags": {{"{min(missing)}": "…"}}',
        )


def start(stage: str, settings: Settings) -> Iterator[Trap]:
    """Find what makes a start slow, or live before it was tried."""
    if settings.get("slim_handler"):
        yield Trap(
            "E015",
            f"{stage}: slim_handler is on.",
            "The second half of the package is fetched at every start: 8.5 seconds.",
            "no slim_handler; the package is small",
        )
    if settings.get("lambda_handler", "handler.lambda_handler") == "handler.lambda_handler":
        yield Trap(
            "E016",
            f"{stage}: Zappa's own handler is used.",
            "It builds the application on the first event, and runs any code that its caller sends.",
            '"lambda_handler": "moped_api.lambda_handler.lambda_handler"',
        )
    if settings.get("apigateway_enabled", True) and settings.get("apigateway_lambda_qualifier") != "live":
        yield Trap(
            "E017",
            f"{stage}: the gateway does not call the alias `live`.",
            "Without it an update is live before anybody has tried it, and there is nothing to roll back to.",
            '"apigateway_lambda_qualifier": "live"',
        )


def stack(stage: str, settings: Settings) -> Iterator[Trap]:
    """Find a stack of ours that Zappa would overwrite with its own."""
    if settings.get("moped", {}).get("stack") == zappa_file.function_name(
        {"project_name": "", **settings}, stage
    ):
        yield Trap(
            "E021",
            f"{stage}: its stack has the name of its function.",
            "Zappa makes a stack of that name for the gateway; it would take the place of pool and table.",
            '"moped": {"stack": "moped-…"}',
        )


TRAPS: tuple[Callable[[str, Settings], Iterator[Trap]], ...] = (
    debug,
    log_level,
    roles,
    gateway,
    secrets,
    unencrypted_variables,
    overrides,
    wildcards,
    bounds,
    start,
    stack,
)


def of_stage(stage: str, settings: Settings) -> Iterator[Trap]:
    """Yield every trap that a stage is in."""
    for trap in TRAPS:
        yield from trap(stage, settings)


def of_file(document: dict[str, Settings]) -> Iterator[Trap]:
    """Yield the traps that only the whole file shows."""
    base = document.get(zappa_file.BASE, {})
    if "domain" in base or "base_path" in base:
        yield Trap(
            "E018",
            "base: it has a domain.",
            "Every stage would inherit it, and undeploying one deletes the mapping of another.",
            "the domain in the stage that it belongs to",
        )
    yield from _names(document)


def _names(document: dict[str, Settings]) -> Iterator[Trap]:
    seen: dict[str, str] = {}
    for stage, entry in document.items():
        if not STAGE_NAME.fullmatch(stage):
            yield Trap(
                "E019",
                f"{stage}: not a name for a stage.",
                "Zappa takes letters, digits and underscores; Lambda's names know no capitals.",
                "small letters, digits and underscores, a letter first",
            )
        name = zappa_file.function_name({"project_name": "p", **entry}, stage)
        if name in seen:
            yield Trap(
                "E020",
                f"{stage}: its function has the same name as that of {seen[name]}.",
                "pr_1, pr-1 and PR_1 are one function and one API: the second overwrites the first.",
                "another name",
            )
        seen[name] = stage


def _texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, name)
    elif isinstance(value, str):
        yield name, value
