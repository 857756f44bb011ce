"""
One configuration for all previews: the entry `preview` of zappa_settings.json, and a number.

What differs between two of them is their names, their files' prefix, and whose they are.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from apps.deployment.aws import stack
from apps.deployment.errors import StageError
from apps.deployment.previews import names
from apps.deployment.settings import rendering, zappa_settings

if TYPE_CHECKING:
    from apps.deployment.settings.rendering import Stage
    from apps.deployment.settings.zappa_settings import Settings

PATTERN = "preview"
# Settings that belong to one stage alone. A preview must not inherit them.
NOT_FOR_PREVIEWS = ("base_path", "certificate_arn", "cognito", "domain", "events", "route53_enabled")
NOT_IN_TAGS = re.compile(r"[^a-zA-Z0-9 _.:/=+@-]")
LONGEST_TAG = 256


def render(number: int, *, commit: str, owner: str, changes: Settings | None = None) -> Stage:
    """
    Return a preview's stage, completed with the outputs of staging's stack.

    :param changes: laid over the settings (a rehearsal's variables)
    :raises StageError: if the settings are not usable, or the stack is not set up for previews
    """
    document = zappa_settings.read()
    pattern = zappa_settings.flattened(document, PATTERN)
    if found := [name for name in NOT_FOR_PREVIEWS if name in pattern]:
        raise StageError(f"{PATTERN}: {found[0]} belongs to a stage that stays; a preview has none.")
    name = names.stage(number)
    document[name] = {"extends": PATTERN, **_own(number, owner, pattern["moped"]["lifetime_days"])}
    return rendering.render(name, commit=commit, changes=changes, document=document)


def outputs() -> dict[str, str]:
    """
    Return the outputs of staging's stack, on which previews run.

    :raises StageError: if the stack is not set up for previews
    """
    own = zappa_settings.flattened(zappa_settings.read(), PATTERN)["moped"]
    return stack.outputs(own["stack"], own["outputs"])


def _own(number: int, owner: str, lifetime_days: int) -> Settings:
    now = datetime.now(UTC).replace(microsecond=0)
    tags: dict[str, Any] = {
        "stage": names.stage(number),
        "pull-request": str(number),
        "owner": NOT_IN_TAGS.sub("-", owner)[:LONGEST_TAG] or "unknown",
        "since": now.isoformat(),
        "expires": (now + timedelta(days=lifetime_days)).isoformat(),
    }
    return {
        "tags": tags,
        "lambda_description": f"The Moped API, preview of pull request {number}",
        "aws_environment_variables": {"MOPED_API_UPLOADS_PREFIX": names.files(number)},
    }
