"""
What is problem with a stage although Zappa deploys it without a complaint.

The rules for one stage are in stage.schema.json, each with its reason. Here are the rules that compare
a stage with its name or with other stages.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from django.http.request import validate_host
from jsonschema import Draft202012Validator

from apps.deployment.settings import zappa_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apps.deployment.settings.zappa_settings import Settings

SCHEMA = Path(__file__).with_name("stage.schema.json")
STAGE_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Issue(NamedTuple):
    """Something that is problem with a stage, why it matters, and what to write instead."""

    id: str
    problem: str
    matters: str
    write: str

    def __str__(self) -> str:
        return f"{self.problem} {self.matters} Write: {self.write}"


def of_stage(stage: str, settings: Settings) -> Iterator[Issue]:
    """Yield what is problem with one stage."""
    for error in _validator().iter_errors(settings):
        rule = rules()[error.absolute_schema_path[1]]
        place = ".".join(map(str, error.absolute_path))
        problem = f"{stage}: {rule['title']}{place and f' ({place})'}."
        yield Issue(rule["id"], problem, rule["description"], rule["write"])
    yield from _of_stack(stage, settings)
    yield from _of_hosts(stage, settings)


def of_file(document: dict[str, Settings]) -> Iterator[Issue]:
    """Yield what only the whole file shows."""
    base = document.get(zappa_settings.BASE, {})
    if "domain" in base or "base_path" in base:
        yield Issue(
            "E018",
            "base: it has a domain.",
            "Every stage would inherit it, and undeploying one deletes the mapping of another.",
            "the domain in the stage that it belongs to",
        )
    yield from _of_names(document)


def rules() -> list[dict[str, Any]]:
    """Return the rules of the schema."""
    schema_rules: list[dict[str, Any]] = _validator().schema["allOf"]
    return schema_rules


@cache
def _validator() -> Any:
    return Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def _of_stack(stage: str, settings: Settings) -> Iterator[Issue]:
    own = settings.get("moped", {})
    if own.get("stack") != f"moped-{stage}" and not own.get("log_retention_days"):
        yield Issue(
            "E013",
            f"{stage}: its log is kept for ever.",
            "This is the default of CloudWatch. Logs hold addresses of clients, and cost money.",
            '"moped": {"log_retention_days": 30}',
        )
    if own.get("stack") == zappa_settings.function_name({"project_name": "", **settings}, stage):
        yield Issue(
            "E021",
            f"{stage}: its stack has the name of its function.",
            "Zappa makes a stack of that name for the gateway. It would replace the pool and the table.",
            '"moped": {"stack": "moped-…"}',
        )


def _of_hosts(stage: str, settings: Settings) -> Iterator[Issue]:
    allowed = settings.get("aws_environment_variables", {}).get("MOPED_API_ALLOWED_HOSTS", "")
    for host in zappa_settings.hosts(settings):
        if allowed and not validate_host(host, allowed.split(",")):
            yield Issue(
                "E024",
                f"{stage}: its host {host} is not allowed.",
                "The API answers 400 to every request that comes under this name.",
                f"{host} in MOPED_API_ALLOWED_HOSTS too",
            )


def _of_names(document: dict[str, Settings]) -> Iterator[Issue]:
    first_stages: dict[str, str] = {}
    for stage, entry in document.items():
        if not STAGE_NAME.fullmatch(stage):
            yield Issue(
                "E019",
                f"{stage}: this is no name for a stage.",
                "Zappa takes letters, digits and underscores, and Lambda's names have no capitals.",
                "small letters, digits and underscores, a letter first",
            )
        name = zappa_settings.function_name({"project_name": "p", **entry}, stage)
        if name in first_stages:
            yield Issue(
                "E020",
                f"{stage}: its function has the same name as that of {first_stages[name]}.",
                "pr_1, pr-1 and PR_1 are one function and one API: the second overwrites the first.",
                "another name",
            )
        first_stages[name] = stage
