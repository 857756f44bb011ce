"""How each trap is found in a stage's flattened settings: the places where the stage is in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from apps.deployment.settings import zappa_settings
from apps.deployment.settings.zappa_settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

Finder = Callable[[str, Settings], Iterable[str]]
"""Given a stage's name and settings; "" stands for the stage as a whole."""

# API Gateway answers 504 after 29 seconds, whatever the function is still doing.
GATEWAY_SECONDS = 29
SECRET_NAME = re.compile(r"(SECRET|PASSWORD|PRIVATE|API_?KEY|ACCESS_KEY|TOKEN|FERNET)", re.IGNORECASE)
# Names with such a word whose value is a name too.
NAMES_OF_SECRETS = {"DatabaseSecret", "MOPED_API_CONFIGURATION_SETTINGS", "MOPED_API_DATABASE_SECRET"}
PASSWORD_IN_URL = re.compile(r"://[^/@\s:]+:[^/@\s]+@")
ACCOUNT_NUMBER = re.compile(r"(?<!\d)\d{12}(?!\d)")
OVERRIDE = re.compile(r"AWS_ENDPOINT_URL(_\w+)?|COGNITO_JWKS_URL")


def when(holds: Callable[[Settings], object]) -> Finder:
    """Return a finder of something that is so or not so."""
    return lambda _stage, settings: [""] if holds(settings) else []


def named(*names: str) -> Finder:
    """Return a finder of settings that should not be there, by their names."""
    return lambda _stage, settings: [name for name in names if settings.get(name)]


def _variables(settings: Settings) -> dict[str, str]:
    return dict(settings.get("aws_environment_variables", {}))


def _listed(settings: Settings, variable: str) -> list[str]:
    return [each for each in _variables(settings).get(variable, "").split(",") if each]


def own(settings: Settings) -> dict[str, Any]:
    """Return the part of the settings that is ours."""
    return dict(settings.get("moped", {}))


def has_gateway(settings: Settings) -> bool:
    """Tell whether a REST API stands before the function."""
    return bool(settings.get("apigateway_enabled", True))


def secrets(_stage: str, settings: Settings) -> Iterable[str]:
    """Name what looks like a secret, by its name or by a password in an address."""
    for name, value in _texts(settings):
        variable = name.rpartition(".")[2]
        is_secret = SECRET_NAME.search(variable) and variable not in NAMES_OF_SECRETS and value
        if is_secret or PASSWORD_IN_URL.search(value):
            yield name


def account_numbers(_stage: str, settings: Settings) -> Iterable[str]:
    """Name what holds the number of an AWS account."""
    return [name for name, value in _texts(settings) if ACCOUNT_NUMBER.search(value)]


def overrides(_stage: str, settings: Settings) -> Iterable[str]:
    """Name the variables that lead away from AWS; service by service they do so too."""
    return filter(OVERRIDE.fullmatch, _variables(settings))


def any_host(settings: Settings) -> bool:
    """Tell whether every host name is allowed, or none."""
    hosts = _listed(settings, "MOPED_API_ALLOWED_HOSTS")
    return "*" in hosts or not hosts


def any_origin(settings: Settings) -> bool:
    """Tell whether an origin that other people register could fit."""
    patterns = _listed(settings, "MOPED_API_CORS_ORIGIN_PATTERNS")
    loose = [pattern for pattern in patterns if not (pattern[0] == "^" and pattern[-1] == "$")]
    return "*" in _variables(settings).get("MOPED_API_CORS_ORIGINS", "") or bool(loose)


def outlives_the_gateway(settings: Settings) -> bool:
    """Tell whether the function may go on after the gateway has given up."""
    return not 0 < settings.get("timeout_seconds", 30) < GATEWAY_SECONDS


def log_for_ever(stage: str, settings: Settings) -> Iterable[str]:
    """Tell whether the log has no limit: neither a stack of its own nor a number of days."""
    ours = own(settings)
    bounded = ours.get("stack") == f"moped-{stage}" or ours.get("log_retention_days")
    return [] if bounded else [""]


def missing_tags(_stage: str, settings: Settings) -> Iterable[str]:
    """Name the tags that are missing."""
    return sorted({"project", "stage"} - settings.get("tags", {}).keys())


def stack_of_zappa(stage: str, settings: Settings) -> Iterable[str]:
    """Tell whether Zappa would take the name of our stack for its own."""
    function = zappa_settings.function_name({"project_name": "", **settings}, stage)
    return [""] if own(settings).get("stack") == function else []


def _texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, name)
    elif isinstance(value, str):
        yield name, value
