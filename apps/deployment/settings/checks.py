"""
What goes wrong with a stage although Zappa deploys it without a word.

Each is a line of a table: how it is found (apps.deployment.settings.finders), what is wrong, why it matters,
what to write instead. All of them were fallen into: docs/adr/0010-package.md and Zappa's
own defaults.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from apps.deployment.settings import finders, zappa_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apps.deployment.settings.finders import Finder
    from apps.deployment.settings.zappa_settings import Settings

STAGE_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Issue(NamedTuple):
    """Something that is wrong with a stage, or with the settings of Django."""

    id: str
    wrong: str
    matters: str
    write: str


class Check(NamedTuple):
    """A kind of trap: `found` names each place where a stage is in it, and the texts may say `{}`."""

    id: str
    found: Finder
    wrong: str
    matters: str
    write: str

    def in_stage(self, stage: str, settings: Settings) -> Iterator[Issue]:
        """Yield this trap for every place where the stage is in it."""
        for place in self.found(stage, settings):
            wrong, write = (text.replace("{}", place) for text in (self.wrong, self.write))
            yield Issue(self.id, f"{stage}: {wrong}", self.matters, write)


def of_stage(stage: str, settings: Settings) -> Iterator[Issue]:
    """Yield every trap that a stage is in."""
    for kind in KINDS:
        yield from kind.in_stage(stage, settings)


def of_file(document: dict[str, Settings]) -> Iterator[Issue]:
    """Yield the traps that only the whole file shows."""
    base = document.get(zappa_settings.BASE, {})
    if "domain" in base or "base_path" in base:
        yield Issue(
            "E018",
            "base: it has a domain.",
            "Every stage would inherit it, and undeploying one deletes the mapping of another.",
            "the domain in the stage that it belongs to",
        )
    yield from _names(document)


def _names(document: dict[str, Settings]) -> Iterator[Issue]:
    seen: dict[str, str] = {}
    for stage, entry in document.items():
        if not STAGE_NAME.fullmatch(stage):
            yield Issue(
                "E019",
                f"{stage}: not a name for a stage.",
                "Zappa takes letters, digits and underscores; Lambda's names know no capitals.",
                "small letters, digits and underscores, a letter first",
            )
        name = zappa_settings.function_name({"project_name": "p", **entry}, stage)
        if name in seen:
            yield Issue(
                "E020",
                f"{stage}: its function has the same name as that of {seen[name]}.",
                "pr_1, pr-1 and PR_1 are one function and one API: the second overwrites the first.",
                "another name",
            )
        seen[name] = stage


KINDS = (
    Check(
        "E001",
        finders.when(lambda stage: stage.get("debug", True)),
        "debug is on.",
        "It is Zappa's default, and puts tracebacks into the bodies of failures.",
        '"debug": false',
    ),
    Check(
        "E002",
        finders.when(lambda stage: stage.get("log_level", "DEBUG") == "DEBUG"),
        "log_level is DEBUG.",
        "It is Zappa's default, and logs whole events: bearer tokens, addresses, passwords.",
        '"log_level": "INFO"',
    ),
    Check(
        "E003",
        finders.when(lambda stage: stage.get("manage_roles", True)),
        "Zappa manages the role.",
        "Its role may do s3:*, sqs:*, dynamodb:* and more, and stays behind when the stage goes.",
        '"manage_roles": false; the role comes from the stack',
    ),
    Check(
        "E003",
        finders.named("attach_policy", "extra_permissions", "role_name"),
        "{} widens the role.",
        "What the function may do stands in one place, infrastructure/moped-api.yaml.",
        "a statement in the template, and no {}",
    ),
    Check(
        "E004",
        finders.when(lambda stage: stage.get("authorizer") or stage.get("iam_authorization")),
        "the gateway is given an authorizer.",
        "With apigateway_version v2 Zappa deploys it open all the same; the API verifies tokens itself.",
        "no authorizer",
    ),
    Check(
        "E005",
        finders.named("cors"),
        "the gateway answers preflights.",
        "Two answer for CORS then, and the gateway's allows every origin; the API answers for all.",
        '"cors": false',
    ),
    Check(
        "E006",
        finders.secrets,
        "{} looks like a secret.",
        "It would stand in the repository, and in clear among the function's variables.",
        "its value into Secrets Manager, only the secret's name here",
    ),
    Check(
        "E007",
        finders.account_numbers,
        "{} names an AWS account.",
        "What an account decides differs between accounts; it comes from the stack's outputs.",
        "an output of infrastructure/moped-api.yaml",
    ),
    Check(
        "E008",
        finders.named("environment_variables", "remote_env"),
        "{} is used.",
        "It overrules Lambda's own variables, and a remote_env that cannot be fetched is not reported.",
        "aws_environment_variables",
    ),
    Check(
        "E009",
        finders.overrides,
        "{} is set.",
        "It leads to an emulator, whose private keys are public.",
        "no {}; only a laptop has one",
    ),
    Check(
        "E010",
        finders.when(finders.any_host),
        "every host name is allowed, or none.",
        "Links and redirects are built from the host name that the caller sends.",
        "the stage's own names in MOPED_API_ALLOWED_HOSTS",
    ),
    Check(
        "E011",
        finders.when(finders.any_origin),
        "foreign pages may read answers.",
        "A wildcard, or a pattern without ^ and $, also fits origins that other people register.",
        "whole origins in MOPED_API_CORS_ORIGINS, anchored patterns in MOPED_API_CORS_ORIGIN_PATTERNS",
    ),
    Check(
        "E012",
        finders.when(finders.outlives_the_gateway),
        f"timeout_seconds is not below {finders.GATEWAY_SECONDS}.",
        "The gateway gives up after 29 s; the function would go on, and be paid for, unheard.",
        '"timeout_seconds": 28',
    ),
    Check(
        "E013",
        finders.log_for_ever,
        "its log is kept for ever.",
        "It is CloudWatch's default; logs hold addresses of people, and cost money.",
        '"moped": {"log_retention_days": 30}',
    ),
    Check(
        "E014",
        finders.missing_tags,
        "the tag '{}' is missing.",
        "Costs and left-overs are found by tag.",
        '"tags": {"{}": "…"}',
    ),
    Check(
        "E015",
        finders.named("slim_handler"),
        "slim_handler is on.",
        "The second half of the package is fetched at every start: 8.5 seconds.",
        "no slim_handler; the package is small",
    ),
    Check(
        "E016",
        finders.when(
            lambda stage: stage.get("lambda_handler", "handler.lambda_handler") == "handler.lambda_handler"
        ),
        "Zappa's own handler is used.",
        "It builds the application on the first event, and runs any code that its caller sends.",
        '"lambda_handler": "moped_api.lambda_handler.lambda_handler"',
    ),
    Check(
        "E017",
        finders.when(
            lambda stage: finders.has_gateway(stage) and stage.get("apigateway_lambda_qualifier") != "live"
        ),
        "the gateway does not call the alias `live`.",
        "Without it an update is live before it is tested, and there is nothing to roll back to.",
        '"apigateway_lambda_qualifier": "live"',
    ),
    Check(
        "E021",
        finders.stack_of_zappa,
        "its stack has the name of its function.",
        "Zappa makes a stack of that name for the gateway; it would take the place of pool and table.",
        '"moped": {"stack": "moped-…"}',
    ),
    Check(
        "E022",
        finders.when(lambda stage: not stage.get("lambda_concurrency")),
        "lambda_concurrency is not set.",
        "Each container holds a connection; a thousand of them would leave none to Hasura.",
        '"lambda_concurrency": 10',
    ),
    Check(
        "E023",
        finders.when(
            lambda stage: finders.has_gateway(stage) and not finders.own(stage).get("requests_per_second")
        ),
        "the gateway lets everything through.",
        "Its own limit is the account's: 10,000 requests a second, shared by all that the City has there.",
        '"moped": {"requests_per_second": 100, "requests_at_once": 200}',
    ),
)
