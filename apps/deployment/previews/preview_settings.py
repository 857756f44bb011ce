"""
One configuration for all previews: the entry `preview` of zappa_settings.json, and a number.

Two previews differ in their names, the prefix of their files, and their tags.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from apps.deployment.aws import stack
from apps.deployment.previews import names
from apps.deployment.settings import rendering, zappa_settings

if TYPE_CHECKING:
    from apps.deployment.settings.rendering import Stage
    from apps.deployment.settings.zappa_settings import Settings

PATTERN = "preview"
NOT_IN_TAGS = re.compile(r"[^a-zA-Z0-9 _.:/=+@-]")


def render(number: int, *, commit: str, owner: str, changes: Settings | None = None) -> Stage:
    """
    Return a preview's stage, completed with the outputs of staging's stack.

    :param changes: laid over the settings (a rehearsal's variables)
    :raises StageError: if the settings are not usable, or the stack is not set up for previews
    """
    document = zappa_settings.read()
    name, now = names.stage(number), datetime.now(UTC).replace(microsecond=0)
    lifetime = timedelta(days=zappa_settings.flattened(document, PATTERN)["moped"]["lifetime_days"])
    document[name] = {
        "extends": PATTERN,
        "lambda_description": f"The Moped API, preview of pull request {number}",
        "aws_environment_variables": {"MOPED_API_UPLOADS_PREFIX": names.files(number)},
        "tags": {
            "stage": name,
            "pull-request": str(number),
            "owner": NOT_IN_TAGS.sub("-", owner),
            "since": now.isoformat(),
            "expires": (now + lifetime).isoformat(),
        },
    }
    return rendering.render(name, commit=commit, changes=changes, document=document)


def outputs() -> dict[str, str]:
    """
    Return the outputs of staging's stack, on which previews run.

    :raises StageError: if the stack is not set up for previews
    """
    own = zappa_settings.flattened(zappa_settings.read(), PATTERN)["moped"]
    return stack.outputs(own["stack"], own["outputs"])
