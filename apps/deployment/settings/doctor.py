"""Django system checks of the stages: `manage.py check --deploy --tag stages`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from apps.deployment.settings import checks, zappa_settings
from apps.deployment.settings.checks import Issue

if TYPE_CHECKING:
    from collections.abc import Iterator

TAG = "stages"
DEFAULT_KEYS = ("change-me", "secret", "django-insecure")


@register(TAG, deploy=True)
def check_stages(**_options: Any) -> list[CheckMessage]:
    """Examine zappa_settings.json."""
    document = zappa_settings.read()
    names = [name for name in document if name != zappa_settings.BASE]
    stages = {name: zappa_settings.flattened(document, name) for name in names}
    issues = [*checks.of_file(document)]
    for name, flattened in stages.items():
        issues += checks.of_stage(name, flattened)
    return [as_error(issue) for issue in issues]


@register(TAG, deploy=True)
def check_settings(**_options: Any) -> list[CheckMessage]:
    """Examine Django's own settings."""
    return [as_error(issue) for issue in django_issues()]


def django_issues() -> Iterator[Issue]:
    """Yield what is wrong with settings that every stage shares."""
    if settings.DEBUG:
        yield Issue(
            "E030", "DEBUG is on.", "A crash shows its source, settings and local variables.", "DEBUG = False"
        )
    logging_settings: dict[str, Any] = settings.LOGGING
    root = logging_settings.get("root", {})
    if not root.get("handlers"):
        yield Issue(
            "E031",
            "The root logger has no handler.",
            "Django replaces the one that Lambda's runtime has set up, and the log stays empty.",
            '"root": {"level": LOG_LEVEL, "handlers": ["console"]}',
        )
    if logging.getLevelNamesMapping()[root.get("level", "NOTSET")] < logging.INFO:
        yield Issue(
            "E032",
            "The root logger is at DEBUG.",
            "botocore then logs the bodies of its requests.",
            "MOPED_API_LOG_LEVEL=INFO",
        )
    yield from _pages_and_keys()


def _pages_and_keys() -> Iterator[Issue]:
    if settings.SECRET_KEY.startswith(DEFAULT_KEYS) or not settings.SECRET_KEY:
        yield Issue(
            "E034",
            "SECRET_KEY is a default.",
            "Anyone who knows it can sign in our name.",
            "a random one per process",
        )
    if "*" in settings.ALLOWED_HOSTS or getattr(settings, "CORS_ALLOW_ALL_ORIGINS", False):
        yield Issue(
            "E035",
            "Every host, or every origin, is allowed.",
            "Links are built from the host that a caller sends; any page could read answers.",
            "names, in MOPED_API_ALLOWED_HOSTS and MOPED_API_CORS_ORIGINS",
        )


def as_error(issue: Issue) -> CheckMessage:
    """Return Django's form of an issue."""
    return Error(f"{issue.problem} {issue.matters}", hint=f"Write: {issue.write}", id=f"moped.{issue.id}")
