"""
Django system checks of the stages: `manage.py check --deploy --tag stages`.

They find faulty settings that Zappa deploys without an error. file.schema.json and stage.schema.json have
the rules and their reasons. This module has the rules that compare a stage with its name or its
hosts.
"""

import json
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
STAGE_SCHEMA, FILE_SCHEMA = (Path(__file__).with_name(f"{name}.schema.json") for name in ("stage", "file"))


@register(TAG, deploy=True)
def check_stages(**_options: Any) -> list[CheckMessage]:
    """Check zappa_settings.json."""
    document = zappa_settings.read()
    issues = [*check_file(document)]
    for name in document.keys() - {zappa_settings.BASE}:
        issues += check_stage(name, zappa_settings.flatten(document, name))
    return issues


def check_stage(stage: str, settings: Settings) -> Iterator[CheckMessage]:
    """Yield the issues of one stage."""
    yield from _broken_rules(STAGE_SCHEMA, stage, settings)
    yield from _check_stack(stage, settings)
    yield from _check_hosts(stage, settings)


def check_file(document: dict[str, Settings]) -> Iterator[CheckMessage]:
    """Yield the issues of the whole file."""
    yield from _broken_rules(FILE_SCHEMA, zappa_settings.PATH.name, document)


def rules(schema: Path) -> list[dict[str, Any]]:
    """Return the rules of a schema."""
    schema_rules: list[dict[str, Any]] = _validator(schema).schema["allOf"]
    return schema_rules


@cache
def _validator(schema: Path) -> Any:
    return Draft202012Validator(json.loads(schema.read_text(encoding="utf-8")))


def _broken_rules(schema: Path, subject: str, settings: Settings) -> Iterator[CheckMessage]:
    """Yield the rules of a schema that settings break."""
    for error in _validator(schema).iter_errors(settings):
        rule = rules(schema)[error.absolute_schema_path[1]]
        # An issue of an entry's name has no path.
        place = ".".join(map(str, error.absolute_path)) or (error.validator == "pattern" and error.instance)
        problem = f"{subject}: {rule['title']}{f' ({place})' if place else ''}."
        yield _issue(rule["id"], problem, rule["description"], rule["write"])


def _issue(number: str, problem: str, reason: str, write: str) -> CheckMessage:
    return Error(f"{problem} {reason}", hint=f"Write: {write}", id=f"moped.{number}")


def _check_stack(stage: str, settings: Settings) -> Iterator[CheckMessage]:
    is_own = settings.get("moped", {}).get("stack") == f"moped-{stage}"
    if settings.get("apigateway_enabled", True) and not is_own:
        yield _issue(
            "E025",
            f"{stage}: its stack is not its own.",
            "A stack has one function, its log, and the function that compares the staff accounts.",
            f'"moped": {{"stack": "moped-{stage}"}}',
        )


def _check_hosts(stage: str, settings: Settings) -> Iterator[CheckMessage]:
    allowed = settings.get("aws_environment_variables", {}).get("MOPED_API_ALLOWED_HOSTS", "")
    for host in zappa_settings.hosts(settings):
        if allowed and not validate_host(host, allowed.split(",")):
            yield _issue(
                "E024",
                f"{stage}: its host {host} is not allowed.",
                "The API answers 400 to every request that comes under this name.",
                f"{host} in MOPED_API_ALLOWED_HOSTS too",
            )
