import copy
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from django.conf import settings

from tests.support.openapi_changes import breaking


def _read(path: str) -> Any:
    # libyaml reads it in a tenth of the time, and every worker of a test run reads it.
    return yaml.load((settings.BASE_DIR / path).read_text(), yaml.CSafeLoader)


RELEASED = _read("docs/reference/released.yaml")
CURRENT = _read("openapi.yaml")


def unreleased() -> str:
    """Return what the changelog says of the next release."""
    changelog: str = (settings.BASE_DIR / "CHANGELOG.md").read_text()
    return changelog.partition("## [Unreleased]")[2].partition("\n## [")[0]


class TestChanges:
    def test_that_break_callers_stand_in_the_changelog(self) -> None:
        """Each as `METHOD path`; after a release, openapi.yaml is copied to docs/reference/released.yaml."""
        assert not [
            change for change in breaking(RELEASED, CURRENT) if change.partition(":")[0] not in unreleased()
        ]


SIZE = {"name": "size", "in": "query", "required": True, "schema": {"type": "integer"}}


def parameters(paths: Any) -> Any:
    return paths["/files/request-signature"]["get"]["parameters"]


# A change of the document's paths and schemas, and what it breaks.
CHANGES: tuple[tuple[Callable[[Any, Any], Any], str], ...] = (
    (lambda _paths, _schemas: None, ""),
    (lambda p, _: p.update({"/new": p["/"]}), ""),
    (lambda p, _: p.pop("/auth/current_user"), "GET /auth/current_user: removed"),
    (lambda p, _: p["/users/{user_id}"].pop("delete"), "DELETE /users/{user_id}: removed"),
    (
        lambda p, _: p["/health/live"]["get"].update(security=[{"idToken": []}]),
        "GET /health/live: newly asks for a token",
    ),
    (lambda p, _: p["/users/"]["post"].update(responses={}), "POST /users/: no longer answers 201"),
    (
        lambda p, _: parameters(p).remove(next(each for each in parameters(p) if each["name"] == "type")),
        "GET /files/request-signature: parameter type removed",
    ),
    (
        lambda p, _: parameters(p).append(SIZE),
        "GET /files/request-signature: parameter size newly required",
    ),
    (lambda _, s: s["NewUser"]["required"].append("note"), "POST /users/: field note newly required"),
    (
        lambda _, s: s["Activation"]["properties"]["email"].update(maxLength=64),
        "PUT /users/activate/: field email has another maxLength: 64",
    ),
    (lambda _, s: s["Activation"]["properties"]["email"].update(maxLength=256, minLength=1), ""),
    (
        lambda _, s: s["RolesEnum"]["enum"].remove("moped-viewer"),
        "POST /users/: field roles.[] no longer taken as moped-viewer",
    ),
    (lambda _, s: s["RolesEnum"]["enum"].append("moped-guest"), ""),
    (
        lambda _, s: s["NewUser"]["properties"]["note"].update(type="string"),
        "POST /users/: field note no longer taken as null",
    ),
    (
        lambda _, s: s["DownloadLink"]["properties"].pop("download_url"),
        "GET /files/download/{key}: 200 no longer has download_url",
    ),
    (
        lambda _, s: s["UserPage"]["properties"]["count"].update(type="string"),
        "GET /users/: 200 has count as string instead of integer",
    ),
    (
        lambda _, s: s["Event"]["properties"].pop("at"),
        "GET /users/{user_id}/history: 200 no longer has results.[].at",
    ),
    (
        lambda _, s: s["HasuraClaims"]["required"].remove("x-hasura-user-id"),
        "GET /auth/current_user: 200 may lack hasura_claims.x-hasura-user-id",
    ),
)


class TestBreaking:
    @pytest.mark.parametrize(("change", "broken"), CHANGES)
    def test_names_what_a_change_breaks(self, change: Callable[[Any, Any], Any], broken: str) -> None:
        after = copy.deepcopy(RELEASED)
        change(after["paths"], after["components"]["schemas"])

        changes = list(breaking(RELEASED, after))

        assert (broken in changes) if broken else not changes
