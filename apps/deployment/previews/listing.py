"""`preview list`: what runs, of which commit, whose, since when and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from apps.core.aws import clients
from apps.core.aws.errors import translate_errors
from apps.core.errors import NotFoundError
from apps.deployment.aws import functions
from apps.deployment.previews import function_url, inventory, names

if TYPE_CHECKING:
    from collections.abc import Mapping

NEVER = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Preview:
    """One preview, or what is left of one."""

    number: int
    url: str = ""
    commit: str = ""
    owner: str = ""
    since: str = ""
    expires: str = ""
    changed: datetime = NEVER

    @property
    def is_whole(self) -> bool:
        """Tell whether it answers."""
        return bool(self.url and self.commit)

    def has_expired(self, now: datetime) -> bool:
        """Tell whether its time is over; one that does not say when never ends by itself."""
        return bool(self.expires) and datetime.fromisoformat(self.expires) < now


def every(bucket: str) -> list[Preview]:
    """Return all previews, and all that is left of some, by number."""
    known = {function["FunctionName"]: function for function in inventory.all_functions()}
    logged = {group["logGroupName"]: group for group in inventory.log_groups(names.LOG_GROUPS)}
    return [
        _preview(number, known.get(names.function(number)), logged.get(names.log_group(number), {}))
        for number in sorted(inventory.numbers(bucket))
    ]


def _preview(number: int, function: Mapping[str, Any] | None, group: Mapping[str, Any]) -> Preview:
    logged_since = datetime.fromtimestamp(group.get("creationTime", 0) / 1000, UTC)
    if function is None:
        return Preview(number, changed=logged_since)
    try:
        with translate_errors(ResourceNotFoundException=NotFoundError):
            tags = clients.lambda_client().list_tags(Resource=function["FunctionArn"]).get("Tags", {})
            commit = _live_commit(function["FunctionName"])
    except NotFoundError:
        return Preview(number, changed=logged_since)  # it went while we looked
    said = {name: tags.get(name, "") for name in ("owner", "since", "expires")}
    changed = max(datetime.fromisoformat(function["LastModified"]), logged_since)
    return Preview(number, function_url.url(function["FunctionName"]), commit, **said, changed=changed)


def _live_commit(function: str) -> str:
    """Return the commit of what answers, not of what is being brought."""
    if functions.live(function) is None:
        return ""
    configuration = clients.lambda_client().get_function_configuration(
        FunctionName=function, Qualifier=functions.LIVE
    )
    return configuration.get("Environment", {}).get("Variables", {}).get("MOPED_API_COMMIT", "")
