from __future__ import annotations

import copy
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
    return (
        (settings.BASE_DIR / "CHANGELOG.md")
        .read_text()
        .partition("## [Unreleased]")[2]
        .partition("\n## [")[0]
    )


class TestChanges:
    def test_that_break_callers_stand_in_the_changelog(self) -> None:
        """Each as `METHOD path`; after a release, openapi.yaml is copied to docs/reference/released.yaml."""
        assert not [
            change for change in breaking(RELEASED, CURRENT) if change.partition(":")[0] not in unreleased()
        ]


class TestBreaking:
    @pytest.fixture
    def after(self) -> dict[str, Any]:
        return copy.deepcopy(RELEASED)

    def test_is_nothing_where_nothing_changed(self, after: dict[str, Any]) -> None:
        assert not list(breaking(RELEASED, after))

    def test_is_not_a_new_route(self, after: dict[str, Any]) -> None:
        after["paths"]["/new"] = after["paths"]["/"]

        assert not list(breaking(RELEASED, after))

    def test_is_a_route_that_goes(self, after: dict[str, Any]) -> None:
        del after["paths"]["/auth/current_user"]

        assert list(breaking(RELEASED, after)) == ["GET /auth/current_user: removed"]

    def test_is_a_method_that_goes(self, after: dict[str, Any]) -> None:
        del after["paths"]["/users/{user_id}"]["delete"]

        assert list(breaking(RELEASED, after)) == ["DELETE /users/{user_id}: removed"]

    def test_is_a_field_that_becomes_required(self, after: dict[str, Any]) -> None:
        after["components"]["schemas"]["NewUser"]["required"].append("note")

        assert list(breaking(RELEASED, after)) == ["POST /users/: field note newly required"]

    def test_is_an_answer_that_loses_a_member(self, after: dict[str, Any]) -> None:
        del after["components"]["schemas"]["DownloadLink"]["properties"]["download_url"]

        assert list(breaking(RELEASED, after)) == [
            "GET /files/download/{key}: 200 no longer has download_url"
        ]

    def test_is_an_answer_whose_member_changes_its_type(self, after: dict[str, Any]) -> None:
        after["components"]["schemas"]["UserPage"]["properties"]["count"]["type"] = "string"

        assert list(breaking(RELEASED, after)) == ["GET /users/: 200 has count as string instead of integer"]

    def test_is_a_member_deep_inside(self, after: dict[str, Any]) -> None:
        del after["components"]["schemas"]["Event"]["properties"]["at"]
        after["components"]["schemas"]["HasuraClaims"]["required"].remove("x-hasura-user-id")

        changes = list(breaking(RELEASED, after))

        assert "GET /users/{user_id}/history: 200 no longer has results.[].at" in changes
        assert "GET /auth/current_user: 200 may lack hasura_claims.x-hasura-user-id" in changes

    def test_is_a_field_with_less_room(self, after: dict[str, Any]) -> None:
        schemas = after["components"]["schemas"]
        schemas["Activation"]["properties"]["email"]["maxLength"] = 64
        schemas["RolesEnum"]["enum"].remove("moped-viewer")
        schemas["NewUser"]["properties"]["note"]["type"] = "string"

        changes = list(breaking(RELEASED, after))

        assert "PUT /users/activate/: field email has another maxLength: 64" in changes
        assert "POST /users/: field roles.[] no longer taken as moped-viewer" in changes
        assert "POST /users/: field note no longer taken as null" in changes

    def test_is_not_a_field_with_more_room(self, after: dict[str, Any]) -> None:
        schemas = after["components"]["schemas"]
        schemas["Activation"]["properties"]["email"] |= {"maxLength": 256, "minLength": 1}
        schemas["RolesEnum"]["enum"].append("moped-guest")

        assert not list(breaking(RELEASED, after))

    def test_is_a_route_that_newly_asks_for_a_token(self, after: dict[str, Any]) -> None:
        after["paths"]["/health/live"]["get"]["security"] = [{"idToken": []}]

        assert list(breaking(RELEASED, after)) == ["GET /health/live: newly asks for a token"]

    def test_is_a_parameter_that_goes_or_is_demanded(self, after: dict[str, Any]) -> None:
        parameters = after["paths"]["/files/request-signature"]["get"]["parameters"]
        parameters[:] = [p for p in parameters if p["name"] != "type"]
        parameters.append({"name": "size", "in": "query", "required": True, "schema": {"type": "integer"}})

        assert list(breaking(RELEASED, after)) == [
            "GET /files/request-signature: parameter type removed",
            "GET /files/request-signature: parameter size newly required",
        ]

    def test_is_another_status(self, after: dict[str, Any]) -> None:
        responses = after["paths"]["/users/"]["post"]["responses"]
        responses["200"] = responses.pop("201")

        assert list(breaking(RELEASED, after)) == ["POST /users/: no longer answers 201"]
