"""
Django system checks of the stages: `manage.py check --deploy --tag stages`.

They find what is wrong with a stage although Zappa deploys it without a complaint. The rules for one
stage are in stage.schema.json, each with its reason. Here are the rules that compare a stage with its
name or with other stages.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.http.request import validate_host
from jsonschema import Draft202012Validator

from apps.deployment.settings import zappa_settings
from apps.deployment.settings.zappa_settings import Settings

TAG = "stages"
SCHEMA = Path(__file__).with_name("stage.schema.json")
STAGE_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


@register(TAG, deploy=True)
def check_stages(**_options: Any) -> list[CheckMessage]:
    """Examine zappa_settings.json."""
    document = zappa_settings.read()
    issues = [*of_file(document)]
    for name in document.keys() - {zappa_settings.BASE}:
        issues += of_stage(name, zappa_settings.flattened(document, name))
    return issues


def of_stage(stage: str, settings: Settings) -> Iterator[CheckMessage]:
    """Yield what is wrong with one stage."""
    for error in _validator().iter_errors(settings):
        rule = rules()[error.absolute_schema_path[1]]
        place = ".".join(map(str, error.absolute_path))
        problem = f"{stage}: {rule['title']}{place and f' ({place})'}."
        yield _issue(rule["id"], problem, rule["description"], rule["write"])
    yield from _of_stack(stage, settings)
    yield from _of_hosts(stage, settings)


def of_file(document: dict[str, Settings]) -> Iterator[CheckMessage]:
    """Yield what only the whole file shows."""
    base = document.get(zappa_settings.BASE, {})
    if "domain" in base or "base_path" in base:
        yield _issue(
            "E018",
            "base: it has a domain.",
            "Every stage would inherit it, and undeploying one deletes the mapping of another.",
            "the domain in the stage that it belongs to",
        )
    for stage in document:
        if not STAGE_NAME.fullmatch(stage):
            yield _issue(
                "E019",
                f"{stage}: this is no name for a stage.",
                "pr_1, pr__1 and PR_1 are one function and one API: the second overwrites the first.",
                "small letters, digits and single underscores, a letter first",
            )


def rules() -> list[dict[str, Any]]:
    """Return the rules of the schema."""
    schema_rules: list[dict[str, Any]] = _validator().schema["allOf"]
    return schema_rules


def _issue(number: str, problem: str, reason: str, write: str) -> CheckMessage:
    return Error(f"{problem} {reason}", hint=f"Write: {write}", id=f"moped.{number}")


@cache
def _validator() -> Any:
    return Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def _of_stack(stage: str, settings: Settings) -> Iterator[CheckMessage]:
    is_own = settings.get("moped", {}).get("stack") == f"moped-{stage}"
    if settings.get("apigateway_enabled", True) and not is_own:
        yield _issue(
            "E025",
            f"{stage}: its stack is not its own.",
            "A stack has one function, its log, and the function that compares the staff accounts.",
            f'"moped": {{"stack": "moped-{stage}"}}',
        )


def _of_hosts(stage: str, settings: Settings) -> Iterator[CheckMessage]:
    allowed = settings.get("aws_environment_variables", {}).get("MOPED_API_ALLOWED_HOSTS", "")
    for host in zappa_settings.hosts(settings):
        if allowed and not validate_host(host, allowed.split(",")):
            yield _issue(
                "E024",
                f"{stage}: its host {host} is not allowed.",
                "The API answers 400 to every request that comes under this name.",
                f"{host} in MOPED_API_ALLOWED_HOSTS too",
            )
